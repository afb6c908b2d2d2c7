"""What people write, in several languages. Sentences, not words at random: themes are to be found in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Voice: TypeAlias = Mapping[str, tuple[str, ...]]
"""Sentences by language."""

LANGUAGES: Final = ("en", "de", "es", "ja", "fr")

PRAISE: Final[Voice] = {
    "en": (
        "Arrived a day early and looks even better than in the pictures.",
        "Third time I order this. The quality never disappoints.",
        "Friendly people in the Hamburg store, they found my size at once. 😊",
        "Easy to order, easy to pay, well packed without plastic.",
    ),
    "de": (
        "Sehr schnelle Lieferung, gut verpackt, gerne wieder!",
        "Die Qualität ist hervorragend, genau wie beschrieben.",
        "Freundliche Beratung im Laden, größte Auswahl weit und breit.",
        "Bestellung in zwei Minuten erledigt, alles übersichtlich.",
    ),
    "es": (
        "El envío llegó antes de lo previsto y en perfecto estado.",
        "La calidad es excelente, lo recomiendo sin duda.",
        "Muy fácil de pedir y atención muy amable. ¡Gracias!",
    ),
    "ja": ("配送がとても早く、梱包も丁寧でした。", "品質が良く、説明どおりの商品です。また注文します。", "お店の方がとても親切でした。"),
    "fr": ("Livraison rapide et emballage soigné.", "Très belle qualité, conforme à la description.", "Service client à l'écoute, merci !"),
}  # fmt: skip

COMPLAINT: Final[Voice] = {
    "en": (
        "Delivery took three weeks and nobody answered my mails.",
        "The sweater is a size too small and sending it back is a hassle.",
        "The app crashed twice at the checkout, then my coupon was gone.",
        "Broken on arrival. The refund has not come yet.",
    ),
    "de": (
        "Die Lieferung kam zwei Wochen zu spät und unvollständig.",
        "Größe fällt viel zu klein aus, die Rücksendung ist umständlich.",
        "Die App stürzt beim Bezahlen ab. Ärgerlich!",
        "Gutschein wurde nicht angenommen, an der Hotline kein Mensch erreichbar.",
    ),
    "es": (
        "El paquete llegó tarde y el producto estaba roto.",
        "Nadie contesta en atención al cliente desde hace una semana.",
        "La talla no corresponde y la devolución es complicada.",
    ),
    "ja": ("配送が二週間も遅れ、連絡もありませんでした。", "届いた商品が壊れていました。返金はまだです。", "サイズが合わず、返品が面倒でした。"),
    "fr": ("Livraison en retard de deux semaines, aucune nouvelle.", "Article cassé à l'arrivée, toujours pas remboursé.", "La taille ne correspond pas du tout."),
}  # fmt: skip

MIDDLING: Final[Voice] = {
    "en": ("It does what it should. The box was dented.", "Good, but a little dear for what it is."),
    "de": ("Ganz in Ordnung, aber etwas teuer.", "Tut, was es soll. Lieferung könnte schneller sein."),
    "es": ("Cumple, aunque es algo caro.", "Está bien, sin más."),
    "ja": ("普通に使えますが、少し高いと思います。", "悪くはないです。"),
    "fr": ("Correct, un peu cher.", "Fait ce qu'il faut, sans plus."),
}  # fmt: skip

QUESTION: Final[Voice] = {
    "en": ("Where is my parcel?", "How do I send the shirt back?", "Can I still change the address of my order?"),
    "de": ("Wo bleibt mein Paket?", "Wie kann ich das Hemd zurückschicken?", "Wann ist der Kaffee wieder lieferbar?"),
    "es": ("¿Dónde está mi paquete?", "¿Cómo puedo devolver la camisa?"),
    "ja": ("荷物はいつ届きますか。", "返品の方法を教えてください。"),
    "fr": ("Où est mon colis ?", "Comment renvoyer la chemise ?"),
}  # fmt: skip


def voice(good: float) -> Voice:
    """What somebody says who is so content, from 0 to 1."""
    return PRAISE if good >= 0.7 else COMPLAINT if good <= 0.4 else MIDDLING
