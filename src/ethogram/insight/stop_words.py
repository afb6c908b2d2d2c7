"""Words that every text of a language is full of, so that they tell nothing about what it says; and its words for *not*."""

from __future__ import annotations

from typing import Final

STOP_WORDS: Final = {
    "en": """a about after again all also am an and any are as at be because been before being but by can could did do does
doing don down during each few for from further get got had has have having he her here hers him his how i if in into is it
its itself just ll m me more most my myself of off on once only or other our out over own re s same she should so some such t
than that the their theirs them then there these they this those through to too under until up us ve very was we were what
when where which while who whom why will with would you your yours really much one""",
    "de": """aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist da damit dann
das dass dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer
eines er es etwas euch euer für ganz gegen gewesen hab habe haben hat hatte hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren
im in indem ins ist ja jede jedem jeden jeder jedes jetzt kann können könnte machen man manche mehr mein meine meinem meinen
meiner mich mir mit muss nach noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so solche
soll sollte sondern sonst über um und uns unser unsere unter vom von vor während war waren warst was weg weil weiter welche
wenn wer werde werden wie wieder will wir wird wirst wo wollen worden wurde wurden würde würden zu zum zur zwar zwischen""",
    "fr": """a ai aie ainsi as au aussi autre aux avait avec avez avoir avons beaucoup bien c ce cela ces cet cette ceux chez ci
comme d dans de depuis des deux donc dont du elle elles en encore entre est et étaient était être eu eux fait faire fois font
fut il ils j je l la le les leur leurs lui m ma mais me même mes moi mon n ne nos notre nous on ont ou où par parce pas peu
peut plus pour pourquoi qu quand que quel quelle qui s sa sans se sera ses si son sont sous suis sur t ta te tes toi ton tous
tout toute toutes très trop tu un une vos votre vous y été""",
    "es": """a al algo algunos ante antes aquí así aún cada como con cual cuando de del desde donde dos durante e el él ella ellas
ellos en entre era eran es esa ese eso esta está estaba están estar estas este esto estos estoy fue fueron ha había han hasta
hay he la las le les lo los más me mi mis mucho muchos muy nada ni nos nosotros o os otra otro otros para pero poco por porque
qué que quien se sea ser si sí sido sin sobre son soy su sus también tan tanto te tener tengo tiene tienen todo todos tu tus un
una uno unos usted y ya yo""",
    "it": """a abbiamo ad agli ai al alla alle allo anche ancora avere aveva c che chi ci come con cosa così cui d da dal dalla
dei del della delle dello di dove due e è ed era erano essere fa fare fatto fra gli ha hai hanno ho i il in io l la le lei li
lo loro lui ma me mi mia mio molto ne nei nel nella nelle nello noi nostro o ogni per perché però più poco poi qua quale quando
quanto quella quelle quelli quello questa queste questi questo qui sarà se sei sempre si sia solo sono sta stata stato su sua
sul sulla suo suoi te ti tra tu tutti tutto un una uno vi voi""",
    "pt": """a ao aos as até com como da das de dela dele deles depois do dos e é ela elas ele eles em entre era eram essa esse
esta está estava este estou eu faz fazer foi foram há isso isto já lhe mais mas me mesmo meu meus minha muito muitos na nas nem
no nos nós nossa nosso num numa o os ou para pela pelo por porque qual quando que quem se seja sem ser seu seus só são sua suas
também te tem tenho ter teve tinha tudo um uma você vocês""",
    "nl": """aan al alle alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge had
heb hebben heeft hem het hier hij hoe hun ik in is ja je kan kon kunnen maar me meer men met mij mijn moet na naar nog nu of om
omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we wel werd wezen wie wij
wil worden wordt zal ze zeer zelf zich zij zijn zo zonder zou""",
    "sv": """alla allt att av bara blev bli blir de dem den denna deras dess det detta dig din dina ditt du där då efter ej eller
en er ett från för ha hade han hans har helt henne hennes hon honom hur här i in ja jag kan kunde man med mellan men mer mig min
mina mitt mot mycket ni nu när något några och om oss på samma sedan sig sin sina sitt ska skulle som så till under upp ut utan
vad var vara vi vid vilken vår är även över""",
    "da": """af alle alt at blev blive bliver da de dem den denne der deres det dette dig din disse dog du efter eller en end er et
for fra før ham han hans har havde hende her hos hun hvad hvis hvor i ind ja jeg jer kan kun kunne lige man mange med meget men
mig min mine mit mod ned noget nogle nu når og også om op os over på samme selv sig sin skal skulle som sådan til ud under var
ved vi vil ville vor være været""",
    "no": """alle at av bare ble bli blir da de deg dem den denne der deres det dette din disse du eller en enn er et etter for
fra før ha hadde han hans har henne her hos hun hva hvis hvor i inn ja jeg kan kom kun kunne man mange med meg mellom men min
mot mye må ned noe noen nå når og også om opp oss over på samme seg selv sin skal skulle som så til under ut var ved veldig vi
vil ville vår være vært""",
    "fi": """ei ehkä ennen että he hän ja jo joka jos joten jälkeen kaikki kanssa kuin kun kuten liian me mikä minkä minun minä
missä mitä mukaan muu mutta myös ne niin nyt näin oli olin olisi olla ole olen on ovat pitää sai se sen siellä sillä sinä
sitten sitä tai tämä tämän tätä tuo vaan vain vielä voi""",
    "pl": """a aby albo ale ani bardzo bez być był była było byłem były co czy dla do gdy go i ich ile im in innych jak jaki jako
je jego jej jest jestem jeszcze jeśli już ja każdy kiedy kto która które który lub ma mam mi mnie moja moje może mój mu my na
nad nam nas o od on ona oni oraz po pod podczas przed przez przy są się ta tak także tam te tego tej ten teraz to tu tych
tylko tym tą u w więc wszystko z za ze że żeby""",
    "cs": """a aby ale ani asi až bez bude bych byl byla bylo byly být co což další do ho i já jak jako je jeho jej její jen ještě
ji jsem jsme jsou jste k kde když která které který ke má mě mi mít mnou můj na nad nám nás něco o od on ona pak po pod podle
pokud pro proč protože při s se si své svůj ta tak také tam te ten tento to tohle tom toto tu tuto ty u už v vám vás ve velmi
vše však z za ze že""",
    "ru": """а без был была были было быть в вам вас весь во вот все всё вы где да даже для до его ее её если есть ещё еще же за
здесь и из или им их к как ко когда кто ли либо мне можно мой мы на над надо нам нас но о об он она они от очень по под после
при с со так также такой там те тем то того только том ты у уже хотя чего чем что чтобы эта эти это этот я""",
    "el": """αλλά αν από αυτά αυτή αυτό για δεν είμαι είναι είχα έχει έχω ένα ένας η θα και κάτι κι μας με μια μου να ο οι όλα
όπως όταν ότι πιο πολύ που πως σας σε στη στην στο στον τα της τη την τι το τον του των ως""",
}
NEGATIONS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "nicht",
        "kein",
        "keine",
        "keinen",
        "nie",
        "pas",
        "jamais",
        "no",
        "nunca",
        "non",
        "mai",
        "não",
        "niet",
        "geen",
        "nooit",
        "inte",
        "inga",
        "aldrig",
        "ikke",
        "ingen",
        "nie",
        "ne",
        "не",
        "нет",
        "никогда",
        "δεν",
    ]
)
WORDS: Final = {language: frozenset(words.split()) for language, words in STOP_WORDS.items()}
