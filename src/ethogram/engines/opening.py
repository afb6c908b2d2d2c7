"""Tapes opened, complete to what the store has: what is there is used, what came since is taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ethogram.engines.spec import Needs, Seen
from ethogram.engines.taking import encode_anew, take_in
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
    tapes = load(folder)
    if tapes is not None and _serves(tapes, needs, known) and _is_complete(tapes, files, snapshot):
        return tapes
    with building(folder):
        tapes = load(folder, tapes)
        if tapes is not None and not _serves(tapes, needs, known):
            wanted = tapes.needs.joined(needs)
            return _made(store, snapshot, files, fresh_tapes(folder, wanted, known, tapes), known, progress)
        if tapes is None:
            tapes = fresh_tapes(folder, needs, known, None)
        elif _is_complete(tapes, files, snapshot):
            return tapes
        return _made(store, snapshot, files, tapes, known, progress)


def _serves(tapes: TapeSet, needs: Needs, known: Seen) -> bool:
    return tapes.needs.covers(needs) and knows(tapes, known)


def _is_complete(tapes: TapeSet, files: Files, snapshot: Snapshot) -> bool:
    if tapes.sequence > snapshot.sequence:
        return True
    return all(files[bucket].keys() == kept.files.keys() for bucket, kept in tapes.buckets.items())


def _by_bucket(files: Iterable[LakeFile], buckets: int) -> Files:
    found: Files = {bucket: {} for bucket in range(buckets)}
    for file in files:
        found[file.bucket][file.id] = file
    return found


def _made(
    store: Store,
    snapshot: Snapshot,
    files: Files,
    tapes: TapeSet,
    known: Seen,
    progress: Progress | None,
) -> TapeSet:
    is_rewritten = bool(tapes.sequence) and store.rewritten_since(tapes.sequence)
    whole = not tapes.sequence
    stale, new = [], {}
    for bucket, there in files.items():
        kept = tapes.buckets.get(bucket, Kept())
        came = None if whole or is_rewritten else _came_since(kept, there, tapes.sequence)
        if came is None:
            stale.append(bucket)
        elif came:
            new[bucket] = came
    for done in _filled(store, files, stale, new, tapes, known):
        if done is None:
            tapes = fresh_tapes(tapes.folder, tapes.needs, known, tapes, tapes.coded[:-1])
            return _made(store, snapshot, files, tapes, known, progress)
        if progress:
            progress(done, len(stale) + len(new))
    tapes.sequence = snapshot.sequence
    save(tapes, is_synced=whole)
    return tapes


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
    store: Store,
    files: Files,
    stale: Sequence[int],
    new: dict[int, Sequence[LakeFile]],
    tapes: TapeSet,
    known: Seen,
) -> Iterator[int | None]:
    """How many buckets are done; None and nothing more where tapes cannot hold so many different codes."""
    for done, bucket in enumerate(sorted(stale, key=lambda bucket: not files[bucket])):
        is_held = encode_anew(store, list(files[bucket].values()), bucket, tapes, known)
        yield done + 1 if is_held else None
        if not is_held:
            return
    held = {
        bucket: [files[bucket][number] for number in tapes.buckets[bucket].files if number in files[bucket]]
        for bucket in new
    }
    for done_new in take_in(store, tapes, new, held, known):
        yield None if done_new is None else len(stale) + done_new
