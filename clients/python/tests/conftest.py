import json
import os
import urllib.request
from typing import Any, Callable, Dict, List

import pytest

pytest_plugins = ["pytester"]


def _send(url: str, headers: Dict[str, str], body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
        return response.headers["x-emu-trace-id"], json.loads(text) if text else None


@pytest.fixture
def sign_up() -> Callable[[str], str]:
    """Signs somebody up; answers the trace."""

    def call(email: str) -> str:
        trace: str = _send(os.environ["EMU_URL"] + "/members", {}, {"email": email})[0]
        return trace

    return call


@pytest.fixture
def members() -> Callable[[], List[str]]:
    return lambda: sorted(one["email"] for one in _send(os.environ["EMU_URL"] + "/members", {}, None)[1])


@pytest.fixture
def welcome_later() -> Callable[[str, int], None]:
    """Sends the worker a message that it takes a while for, by emu's clock."""
    aws = os.environ["AWS_ENDPOINT_URL"]
    headers = {"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"}

    def call(email: str, wait_ms: int) -> None:
        message = json.dumps({"email": email, "waitMs": wait_ms})
        _send(aws, headers, {"QueueUrl": f"{aws}/000000000000/welcomes", "MessageBody": message})

    return call


@pytest.fixture
def invoke_later() -> Callable[[str, Any], None]:
    aws = os.environ["AWS_ENDPOINT_URL"]

    def call(name: str, event: Any) -> None:
        _send(f"{aws}/2015-03-31/functions/{name}/invocations", {"x-amz-invocation-type": "Event"}, event)

    return call
