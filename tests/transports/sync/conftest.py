"""A host, and a client that is connected to it."""

import pytest

from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.model_client import ModelClient


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def client(host: FakeHost) -> ModelClient:
    connected = ModelClient(host)
    connected.settle()
    return connected
