import { initializeApp } from 'firebase-admin/app';
import { FieldValue, getFirestore } from 'firebase-admin/firestore';
import { onObjectDeleted, onObjectFinalized } from 'firebase-functions/v2/storage';
import { onDocumentCreated, onDocumentDeleted, onDocumentUpdated, onDocumentWrittenWithAuthContext } from 'firebase-functions/v2/firestore';
import { HttpsError, beforeUserCreated, beforeUserSignedIn } from 'firebase-functions/v2/identity';
import { onMessagePublished } from 'firebase-functions/v2/pubsub';
import { onSchedule } from 'firebase-functions/v2/scheduler';
import { onTaskDispatched } from 'firebase-functions/v2/tasks';
import { tell } from './tell.js';

initializeApp();

export const userCreated = onDocumentCreated('users/{id}', async (event) => {
  const snapshot = event.data!;
  await tell('userCreated', {
    params: event.params,
    data: snapshot.data(),
    id: snapshot.id,
    path: snapshot.ref.path,
    nested: snapshot.get('address.city'),
    born: snapshot.get('born').toDate().toISOString(),
    type: event.type,
    source: event.source,
    subject: event.subject,
    specversion: event.specversion,
    document: event.document,
    database: event.database,
    created: typeof snapshot.createTime?.toMillis(),
  });
});

export const userUpdated = onDocumentUpdated('users/{id}', async ({ data, params }) => {
  await tell('userUpdated', { id: params.id, before: data!.before.data().age, after: data!.after.data().age });
});

export const userDeleted = onDocumentDeleted('users/{id}', (event) => tell('userDeleted', { id: event.params.id, data: event.data!.data() }));

export const postWritten = onDocumentWrittenWithAuthContext('users/{user}/posts/{post}', (event) =>
  tell('postWritten', { params: event.params, before: event.data!.before.exists, after: event.data!.after.exists, authType: event.authType }));

let failures = 0;
export const stubborn = onDocumentCreated({ document: 'retries/{id}', retry: true }, async (event) => {
  // A sandbox is new each time: how often it was tried stands in the database.
  await tell('stubborn', { id: event.id });
  const answer = await fetch(`https://firestore.googleapis.com/v1/projects/${process.env.GCLOUD_PROJECT}/databases/(default)/documents/told?pageSize=100`);
  const { documents = [] } = (await answer.json()) as { documents?: { fields: { name: { stringValue: string } } }[] };
  failures = documents.filter((document) => document.fields.name.stringValue === 'stubborn').length;
  if (failures < 3) throw new Error(`attempt ${failures}`);
});

export const resigned = onDocumentCreated('resigned/{id}', async () => {
  await tell('resigned', {});
  throw new Error('once is enough');
});

export const tick = onSchedule({ schedule: 'every 5 minutes', retryCount: 1 }, (event) => tell('tick', { job: event.jobName, at: event.scheduleTime }));

export const work = onTaskDispatched({ retryConfig: { maxAttempts: 3, minBackoffSeconds: 1 }, rateLimits: { maxConcurrentDispatches: 2 } }, async (request) => {
  await tell('work', { data: request.data, id: request.id, queue: request.queueName, retries: request.retryCount });
  if ((request.data as { failsUntil?: number }).failsUntil! > (request.retryCount ?? 0)) throw new Error('not yet');
});

export const checkNew = beforeUserCreated((event) => {
  if (event.data?.email?.endsWith('@evil.example')) throw new HttpsError('permission-denied', 'not you');
  return { displayName: event.data?.email?.split('@')[0], customClaims: { checked: true } };
});

export const checkSignIn = beforeUserSignedIn((event) => ({ sessionClaims: { method: event.credential?.signInMethod ?? event.eventType.split(':')[1] } }));

export const uploaded = onObjectFinalized(async (event) => {
  await tell('uploaded', { bucket: event.bucket, name: event.data.name, size: event.data.size, type: event.data.contentType, subject: event.subject, meta: event.data.metadata ?? null });
});

export const removed = onObjectDeleted((event) => tell('removed', { name: event.data.name }));

/** Counts a user's posts beside them, with the modules that the runtime has of its own. */
export const counted = onDocumentCreated('authors/{id}/posts/{post}', async (event) => {
  const author = event.data!.ref.parent.parent!;
  await getFirestore().runTransaction(async (transaction) => {
    const before = (await transaction.get(author)).get('posts') ?? 0;
    transaction.set(author, { posts: before + 1, last: event.data!.ref, at: FieldValue.serverTimestamp() }, { merge: true });
  });
});

export const sold = onMessagePublished<{ n: number }>('sales', (event) => {
  const { message } = event.data;
  return tell('sold', { json: message.json, attributes: message.attributes, id: typeof message.messageId, at: typeof message.publishTime, key: message.orderingKey, source: event.source });
});
