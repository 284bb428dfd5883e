"""The servers and the clients, each started once for all tests."""

import itertools

import pytest
from asking import Client
from clients import KINDS, Driver
from studio import Studio

pytest_plugins = ["uploads"]


def served(tmp_path_factory, name, engine, **settings):
    studio = Studio(tmp_path_factory.mktemp(name), engine, **settings)
    yield studio
    # Whatever the tests did to it, its books are right.
    assert studio.run("ledger", "verify")["findings"] == []
    studio.stop()


@pytest.fixture(scope="session")
def pocket(tmp_path_factory):
    """A studio that draws with the pocket model."""
    yield from served(tmp_path_factory, "pocket", "pocket")


@pytest.fixture(scope="session")
def pattern(tmp_path_factory):
    """A studio that draws the test pattern, which fails on demand."""
    yield from served(tmp_path_factory, "pattern", "test-pattern")


@pytest.fixture(scope="session")
def limited(tmp_path_factory):
    """A studio where an account may ask for one picture a second."""
    yield from served(tmp_path_factory, "limited", "test-pattern", limits__images_per_minute=60)


@pytest.fixture(scope="session")
def crowded(tmp_path_factory):
    """A studio where few jobs may wait."""
    yield from served(tmp_path_factory, "crowded", "test-pattern", limits__queued_jobs_max=len(KINDS))


@pytest.fixture(scope="session")
def judging(tmp_path_factory):
    """A studio that forbids weapons."""
    rules = tmp_path_factory.mktemp("rules") / "rules.toml"
    rules.write_text('[[rule]]\ncategory = "weapons"\nwords = ["cannon"]\n')
    yield from served(tmp_path_factory, "judging", "test-pattern", moderation__rules=rules)


@pytest.fixture(scope="session")
def drivers():
    """The running clients by their kind's name; each is started when it is first asked for."""
    running = {}

    def driver(kind):
        if kind.name not in running:
            running[kind.name] = Driver(kind)
        return running[kind.name]

    yield driver
    for driver in running.values():
        driver.stop()


@pytest.fixture(scope="session")
def open_client(drivers):
    """Opens an account for a client of a kind at a studio."""
    numbers = itertools.count(1)

    def open_client(kind, studio, plan="free"):
        return Client(kind, drivers(kind), studio, f"{kind.name}-{next(numbers)}".replace(".", "-"), plan)

    return open_client


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def client(request, open_client, pattern):
    """Each client in turn, with an account of its own at the studio of the test pattern."""
    return open_client(request.param, pattern)
