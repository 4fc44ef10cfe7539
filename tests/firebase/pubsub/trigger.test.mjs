// What is published calls the functions of the topic, whoever publishes it; the topic need not have been made.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PubSub } from '@google-cloud/pubsub';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getFirestore } from 'firebase-admin/firestore';

const projectId = process.env.GCLOUD_PROJECT;
const app = initializeApp({ projectId });
const pubsub = new PubSub({ projectId });
after(() => Promise.all([deleteApp(app), pubsub.close()]));

/** What functions were told, once everything that is due is done. */
async function told() {
    const idle = await fetch(`http://${process.env.FIREBASE_EMULATOR_HUB}/emu/v1/idle`, { method: 'POST', body: '{}' });
    assert.ok(idle.ok, await idle.text());
    const found = await getFirestore(app).collection('told').orderBy('name').get();
    return found.docs.map((document) => document.data());
}

test('functions of both generations get a message, and what one of them publishes', async () => {
    const attributes = { shop: 'north' };
    const publisher = pubsub.topic('sales', { messageOrdering: true });
    const id = await publisher.publishMessage({ json: { item: 'tea' }, attributes, orderingKey: 'k' });
    const name = `projects/${projectId}/topics/sales`;
    assert.deepEqual(await told(), [
        { name: 'legacySold', got: { json: { item: 'tea' }, attributes, id, resource: name } },
        { name: 'receipt', got: { text: 'receipt for tea' } },
        { name: 'sold', got: { json: { item: 'tea' }, attributes, id, key: 'k', source: `//pubsub.googleapis.com/${name}` } },
    ]);
});

test('a topic that nothing waits for must be made', async () => {
    await assert.rejects(pubsub.topic('others').publishMessage({ data: Buffer.from('x') }), (error) => error.code === 5);
});
