"""Tapes opened, complete to what the store has: what is there is used, what came since is taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from ethogram.engines.homes import Homes
from ethogram.engines.moving import MANY_MOVED, clear, moving
from ethogram.engines.spec import Needs, Seen
from ethogram.engines.taking import arriving, encode_anew, lake_columns, take_in
from ethogram.engines.tapeset import Kept, TapeSet, building, fresh_tapes, knows, load, save
from ethogram.store import LakeFile, Snapshot, Store

Progress = Callable[[int, int], None]
Files = dict[int, dict[int, LakeFile]]


def open_tapes(
    store: Store, snapshot: Snapshot, needs: Needs, known: Seen, progress: Progress | None = None
) -> TapeSet:
    """The project's tapes, complete to the snapshot or to a later state that another process has taken in."""
    folder = store.folder / "tapes"
    files = _by_bucket(snapshot.files, store.buckets)
    homes = Homes(store, snapshot.sequence, files)
    tapes = load(folder)
    if tapes is not None and _serves(tapes, needs, known) and _is_complete(tapes, homes):
        return tapes
    with building(folder):
        tapes = load(folder, tapes)
        if tapes is not None and not _serves(tapes, needs, known):
            wanted = tapes.needs.joined(needs)
            return _made(homes, fresh_tapes(folder, wanted, known, tapes), known, progress)
        if tapes is None:
            tapes = fresh_tapes(folder, needs, known, None)
        elif _is_complete(tapes, homes):
            return tapes
        return _made(homes, tapes, known, progress)


def _serves(tapes: TapeSet, needs: Needs, known: Seen) -> bool:
    return tapes.needs.covers(needs) and knows(tapes, known)


def _is_complete(tapes: TapeSet, homes: Homes) -> bool:
    if tapes.sequence > homes.sequence:
        return True
    has_files = all(homes.files[bucket].keys() == kept.files.keys() for bucket, kept in tapes.buckets.items())
    return has_files and not homes.moved_since(tapes.sequence)


def _by_bucket(files: Iterable[LakeFile], buckets: int) -> Files:
    found: Files = {bucket: {} for bucket in range(buckets)}
    for file in files:
        found[file.bucket][file.id] = file
    return found


def _made(homes: Homes, tapes: TapeSet, known: Seen, progress: Progress | None) -> TapeSet:
    whole = not tapes.sequence
    is_rewritten = bool(tapes.sequence) and homes.store.rewritten_since(tapes.sequence)
    moved = {} if whole else homes.moved_since(tapes.sequence)
    came = {
        bucket: None
        if whole or is_rewritten
        else _came_since(tapes.buckets.get(bucket, Kept()), dict(there), tapes.sequence)
        for bucket, there in homes.files.items()
    }
    if None in came.values() and not homes.is_plain:
        came = dict.fromkeys(came)  # what is lost may be on any tape
    stale = [bucket for bucket, new in came.items() if new is None or _is_upset(tapes, moved, bucket)]
    new = {
        bucket: some for bucket, some in came.items() if some and (bucket not in stale or not homes.is_plain)
    }
    for done in _filled(homes, stale, new, moved, tapes, known):
        if done is None:
            tapes = fresh_tapes(tapes.folder, tapes.needs, known, tapes, tapes.coded[:-1])
            return _made(homes, tapes, known, progress)
        if progress:
            progress(done, len(stale) + len(new))
    tapes.sequence = homes.sequence
    save(tapes, is_synced=whole)
    return tapes


def _is_upset(tapes: TapeSet, moved: dict[int, list[str]], bucket: int) -> bool:
    return len(moved.get(bucket, ())) * MANY_MOVED > tapes.buckets[bucket].customers


def _came_since(kept: Kept, there: dict[int, LakeFile], sequence: int) -> Sequence[LakeFile] | None:
    """The files to be taken in; None where files are gone whose rows are not all in others that are no newer."""
    gone = kept.files.keys() - there.keys()
    added = [file for number, file in sorted(there.items()) if number not in kept.files]
    if not gone:
        return added
    merged = [file for file in added if file.sequence <= sequence]
    if sum(kept.files[number] for number in gone) != sum(file.rows for file in merged):
        return None
    for number in gone:
        del kept.files[number]
    kept.files |= {file.id: file.rows for file in merged}
    return [file for file in added if file.sequence > sequence]


def _filled(
    homes: Homes,
    stale: Sequence[int],
    new: dict[int, Sequence[LakeFile]],
    moved: dict[int, list[str]],
    tapes: TapeSet,
    known: Seen,
) -> Iterator[int | None]:
    """How many buckets are done; None and nothing more where tapes cannot hold so many different codes."""
    with homes.foreign(stale, lake_columns(tapes), tapes.folder) as foreign:
        for done, bucket in enumerate(sorted(stale, key=lambda bucket: not homes.files[bucket])):
            is_held = encode_anew(homes, bucket, tapes, known, foreign)
            yield done + 1 if is_held else None
            if not is_held:
                return
    held = {
        bucket: [file for number, file in files.items() if number in tapes.buckets[bucket].files]
        for bucket, files in homes.files.items()
    }
    held = {
        bucket: [file for file in files if file not in new.get(bucket, ())] for bucket, files in held.items()
    }
    others = {bucket: people for bucket, people in moved.items() if bucket not in stale}
    clear(tapes, others)
    names = frozenset(name for people in others.values() for name in people)
    come = chain(arriving(homes, tapes, new, names, stale), moving(homes, tapes, sorted(names)))
    for done_new in take_in(homes, tapes, come, held, known):
        yield None if done_new is None else len(stale) + done_new
