"""The Pub/Sub SDK for Python. `PUBSUB_EMULATOR_HOST` says where."""

import os
import threading

from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud import pubsub_v1

project = f"demo-python-{os.getpid()}"
publisher = pubsub_v1.PublisherClient(publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True))
subscriber = pubsub_v1.SubscriberClient()
topic = publisher.topic_path(project, "orders")
subscription = subscriber.subscription_path(project, "orders-all")

publisher.create_topic(name=topic)
try:
    publisher.create_topic(name=topic)
    raise AssertionError("it exists already")
except AlreadyExists:
    pass
try:
    publisher.publish(publisher.topic_path(project, "none"), b"x").result(timeout=30)
    raise AssertionError("it does not exist")
except NotFound:
    pass
subscriber.create_subscription(request={"name": subscription, "topic": topic, "enable_message_ordering": True})
assert [found.name for found in publisher.list_topics(project=f"projects/{project}")] == [topic]

futures = [publisher.publish(topic, f"m{n}".encode(), ordering_key="k", n=str(n)) for n in range(50)]
ids = [future.result(timeout=30) for future in futures]
assert len(set(ids)) == 50

# A pull by hand: what is not acknowledged is given back, and comes again.
pulled = subscriber.pull(subscription=subscription, max_messages=3, timeout=30).received_messages
assert [received.message.data for received in pulled] == [b"m0", b"m1", b"m2"], pulled
subscriber.acknowledge(subscription=subscription, ack_ids=[pulled[0].ack_id])
subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[received.ack_id for received in pulled[1:]], ack_deadline_seconds=0)

# A stream.
got, done = [], threading.Event()


def take(message):
    got.append((message.data.decode(), message.attributes["n"]))
    message.ack()
    if len(got) >= 49:
        done.set()


stream = subscriber.subscribe(subscription, callback=take, flow_control=pubsub_v1.types.FlowControl(max_messages=7))
assert done.wait(60), got
stream.cancel()
stream.result(timeout=30)
assert got == [(f"m{n}", str(n)) for n in range(1, 50)], got
subscriber.delete_subscription(subscription=subscription)
publisher.delete_topic(topic=topic)
