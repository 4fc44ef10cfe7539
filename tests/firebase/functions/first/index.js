// Functions of the first generation, in CommonJS.
const functions = require('firebase-functions');

exports.legacyEcho = functions.region('europe-west1').https.onRequest((req, res) => {
  res.set('X-Generation', '1').json({ path: req.path, method: req.method, query: req.query, raw: req.rawBody.toString() });
});

exports.legacyAdd = functions.runWith({ memory: '512MB', timeoutSeconds: 30 }).https.onCall((data, context) => {
  if (typeof data.a !== 'number') throw new functions.https.HttpsError('invalid-argument', 'a is no number', { field: 'a' });
  return { sum: data.a + data.b, uid: context.auth ? context.auth.uid : null, email: context.auth?.token.email ?? null };
});
