"""The Python SDK. `FIRESTORE_EMULATOR_HOST` says where."""

import os
import threading

from google.api_core.exceptions import AlreadyExists, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.pipeline_expressions import Count, Field

db = firestore.Client(project=f"demo-python-{os.getpid()}", credentials=AnonymousCredentials())
users = db.collection("users")
users.document("ann").create({"n": 1, "tags": ["x"], "at": firestore.SERVER_TIMESTAMP, "raw": b"\x00\xff"})
try:
    users.document("ann").create({})
    raise AssertionError("it exists already")
except AlreadyExists:
    pass
try:
    users.document("none").update({"n": 1})
    raise AssertionError("it does not exist")
except NotFound:
    pass
users.document("ann").update({"n": firestore.Increment(2), "tags": firestore.ArrayUnion(["x", "y"])})
ann = users.document("ann").get().to_dict()
assert (ann["n"], ann["tags"], ann["raw"]) == (3, ["x", "y"], b"\x00\xff"), ann
for n in range(10):
    users.document(f"u{n}").set({"n": n, "even": n % 2 == 0})
found = users.where(filter=FieldFilter("even", "==", True)).order_by("n", direction=firestore.Query.DESCENDING).limit(2).stream()
assert [doc.id for doc in found] == ["u8", "u6"]
assert users.where(filter=FieldFilter("n", ">", 3)).count().get()[0][0].value == 6


@firestore.transactional
def add(transaction, ref):
    n = ref.get(transaction=transaction).get("n")
    transaction.update(ref, {"n": n + 1})


for _ in range(5):
    add(db.transaction(), users.document("u0"))
assert users.document("u0").get().get("n") == 5

evens = db.pipeline().collection("users").where(Field.of("even").equal(True)).sort(Field.of("n").descending())
assert [result.id for result in evens.limit(2).execute()] == ["u8", "u6"]
made = evens.aggregate(Count().as_("all"), Field.of("n").sum().as_("sum")).execute()
assert [result.data() for result in made] == [{"all": 5, "sum": 25}], made
made = evens.limit(1).select("n", Field.of("n").add(0.5).as_("more"), Field.of("none").exists().as_("there")).execute()
assert [result.data() for result in made] == [{"n": 8, "more": 8.5, "there": False}], made

told = []
changed = threading.Event()


def on_change(documents, changes, read_time):
    told.append(sorted(doc.id for doc in documents))
    changed.set()


watch = users.where(filter=FieldFilter("n", ">", 8)).on_snapshot(on_change)
assert changed.wait(10)
changed.clear()
users.document("late").set({"n": 100})
assert changed.wait(10)
assert told[-1] == ["late", "u9"], told
watch.unsubscribe()
print("python: ok")
