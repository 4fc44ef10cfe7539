// Functions of both generations that wait for messages, and one that publishes in its turn.
const { initializeApp } = require('firebase-admin/app');
const { getFirestore } = require('firebase-admin/firestore');
const functions = require('firebase-functions/v1');
const { onMessagePublished } = require('firebase-functions/v2/pubsub');

initializeApp();
const tell = (name, got) => getFirestore().collection('told').add({ name, got });

exports.sold = onMessagePublished('sales', async ({ data: { message }, source }) => {
    await tell('sold', { json: message.json, attributes: message.attributes, id: message.messageId, key: message.orderingKey, source });
    const url = `https://pubsub.googleapis.com/v1/projects/${process.env.GCLOUD_PROJECT}/topics/receipts:publish`;
    const messages = [{ data: Buffer.from(`receipt for ${message.json.item}`).toString('base64') }];
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ messages }) });
    if (!answer.ok) throw new Error(await answer.text());
});
exports.legacySold = functions.pubsub.topic('sales').onPublish((message, context) =>
    tell('legacySold', { json: message.json, attributes: message.attributes, id: context.eventId, resource: context.resource.name }));
exports.receipt = onMessagePublished('receipts', ({ data: { message } }) => tell('receipt', { text: Buffer.from(message.data, 'base64').toString() }));
