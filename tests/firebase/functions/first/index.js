// Functions of the first generation, in CommonJS.
const functions = require('firebase-functions');

exports.legacyEcho = functions.region('europe-west1').https.onRequest((req, res) => {
  res.set('X-Generation', '1').json({ path: req.path, method: req.method, query: req.query, raw: req.rawBody.toString() });
});

exports.legacyAdd = functions.runWith({ memory: '512MB', timeoutSeconds: 30 }).https.onCall((data, context) => {
  if (typeof data.a !== 'number') throw new functions.https.HttpsError('invalid-argument', 'a is no number', { field: 'a' });
  return { sum: data.a + data.b, uid: context.auth ? context.auth.uid : null, email: context.auth?.token.email ?? null };
});

async function tell(name, got) {
  const url = `https://firestore.googleapis.com/v1/projects/${process.env.GCLOUD_PROJECT}/databases/(default)/documents/told`;
  const fields = { name: { stringValue: name }, got: { stringValue: JSON.stringify(got) } };
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ fields }) });
  if (!answer.ok) throw new Error(await answer.text());
}

exports.legacy = {
  created: functions.firestore.document('users/{id}').onCreate((snapshot, context) =>
    tell('legacy.created', { data: snapshot.data(), params: context.params, type: context.eventType, resource: context.resource, id: typeof context.eventId })),
  written: functions.firestore.document('users/{id}').onWrite((change) => tell('legacy.written', { before: change.before.exists, after: change.after.exists })),
  welcome: functions.auth.user().onCreate((user, context) => tell('legacy.welcome', { uid: user.uid, email: user.email, provider: user.providerData.length, type: context.eventType })),
  bye: functions.auth.user().onDelete((user) => tell('legacy.bye', { uid: user.uid })),
  sold: functions.pubsub.topic('sales').onPublish((message, context) => tell('legacy.sold', { json: message.json, attributes: message.attributes, resource: context.resource.name })),
  stored: functions.storage.object().onFinalize((object, context) => tell('legacy.stored', { name: object.name, bucket: object.bucket, type: context.eventType })),
  nightly: functions.pubsub.schedule('every day 03:00').timeZone('Europe/Berlin').onRun((context) => tell('legacy.nightly', { at: context.timestamp, type: context.eventType })),
};
