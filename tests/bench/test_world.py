"""The seeded world and its questions: the same for a seed, other for another, of the promised size."""

import numpy as np
import pytest

from ethogram.bench.questions import ATOMS, count_atoms, funnels, segments
from ethogram.bench.world import BLOCK, CATEGORIES, CHANNELS, EVENTS, START, Block, World, arrivals, blocks

COLUMNS = ("customer", "time", "event", "category", "channel", "revenue")


def _same(one: Block, other: Block) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def test_a_seed_makes_one_world() -> None:
    first, again = list(blocks(World(20_000, seed=3))), list(blocks(World(20_000, seed=3)))
    assert all(_same(one, other) for one, other in zip(first, again, strict=True))
    assert not _same(first[0], next(blocks(World(20_000, seed=4))))


def test_blocks_have_every_event_once_in_order() -> None:
    world = World(2 * BLOCK * 40 + 4_000)
    numbers = []
    for block in blocks(world):
        numbers.append((block.first, len(block)))
        keys = block.customer.astype(np.int64) << 32 | (block.time - START) // 1_000_000
        assert (np.diff(keys) >= 0).all()
        assert block.time.min() >= START and block.time.max() <= world.quiet_from
        assert block.event.max() < len(EVENTS)
        assert block.category.max() < len(CATEGORIES) and block.channel.max() < len(CHANNELS)
    assert [first for first, _ in numbers] == [0, BLOCK * 40, 2 * BLOCK * 40]
    assert sum(size for _, size in numbers) == world.events


def test_events_follow_the_weights() -> None:
    (block,) = blocks(World(200_000))
    counts = np.bincount(block.event, minlength=len(EVENTS))
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.1)


def test_arrivals_come_in_the_quiet_hour() -> None:
    world = World(20_000)
    block = arrivals(world, 50)
    assert len(block) == 50 and block.first == world.events
    assert block.time.min() > world.quiet_from and block.time.max() <= world.as_of
    assert _same(block, arrivals(world, 50))


@pytest.mark.parametrize("count", ATOMS)
def test_segments_share_almost_nothing(count: int) -> None:
    questions = segments(count, 1)
    assert len(questions) == count and count_atoms(questions) == ATOMS[count]
    assert {len(one.conditions) for one in questions} == {1, 2, 3}
    assert questions == segments(count, 1) != segments(count, 2)


def test_funnels_have_three_different_steps() -> None:
    asked = funnels(50, 1)
    assert len({(one.steps, one.hours) for one in asked}) == 50
    assert all(len(set(one.steps)) == 3 for one in asked)
    assert asked[:5] == funnels(5, 1)
