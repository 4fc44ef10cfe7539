// The Pub/Sub SDK for Node, over gRPC. `PUBSUB_EMULATOR_HOST` says where.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { PubSub } from '@google-cloud/pubsub';

const projectId = `demo-pubsub-${process.pid}`;
const pubsub = new PubSub({ projectId });
after(() => pubsub.close());
const rest = (path, method = 'GET', body) => fetch(`http://${process.env.PUBSUB_EMULATOR_HOST}/v1/projects/${projectId}/${path}`, { method, body: body && JSON.stringify(body) });

/** Gathers messages of a subscription until `enough`; `take` acknowledges or not. */
function gather(subscription, enough, take = (message) => message.ack()) {
    const got = [];
    return new Promise((resolve, reject) => {
        const hear = async (message) => {
            got.push(message);
            await take(message, got.length);
            if (!enough(got)) return;
            subscription.removeListener('message', hear);
            await subscription.close();
            resolve(got);
        };
        subscription.on('error', reject).on('message', hear);
    });
}

test('topics and subscriptions are made, found, changed and deleted', async () => {
    const [topic] = await pubsub.createTopic('things');
    await assert.rejects(pubsub.createTopic('things'), (error) => error.code === 6);
    const [made, again] = await topic.get();
    assert.equal(made.name, `projects/${projectId}/topics/things`);
    assert.equal(again.name, made.name);
    assert.deepEqual((await pubsub.topic('none').exists()), [false]);
    const [subscription] = await topic.createSubscription('things-a', { ackDeadlineSeconds: 30, labels: { a: 'b' }, retryPolicy: { minimumBackoff: { seconds: 1 } } });
    const [metadata] = await subscription.getMetadata();
    assert.deepEqual([metadata.ackDeadlineSeconds, metadata.labels, metadata.topic, metadata.state], [30, { a: 'b' }, made.name, 'ACTIVE']);
    assert.deepEqual([metadata.retryPolicy.minimumBackoff.seconds, metadata.retryPolicy.maximumBackoff.seconds], ['1', '600']);
    await subscription.setMetadata({ ackDeadlineSeconds: 45 });
    assert.equal((await subscription.getMetadata())[0].ackDeadlineSeconds, 45);
    const names = (found) => found.map(({ name }) => name.split('/').pop());
    assert.deepEqual(names((await topic.getSubscriptions())[0]), ['things-a']);
    for (const name of ['b', 'c']) await pubsub.createTopic(`page-${name}`);
    assert.deepEqual(names((await pubsub.getTopics({ pageSize: 1, autoPaginate: true }))[0]), ['page-b', 'page-c', 'things']);
    await topic.delete();
    assert.equal((await subscription.getMetadata())[0].topic, '_deleted-topic_');
    await assert.rejects(topic.publishMessage({ data: Buffer.from('x') }), (error) => error.code === 5);
    await subscription.delete();
    assert.deepEqual(await pubsub.subscription('things-a').exists(), [false]);
    await assert.rejects(pubsub.createTopic('1x'), (error) => error.code === 3 && error.message.includes('Invalid resource name'));
});

test('what is published is received once by each subscription', async () => {
    const [topic] = await pubsub.createTopic('news');
    const [one] = await topic.createSubscription('news-one');
    const [two] = await topic.createSubscription('news-two', { filter: 'attributes.kind = "b"' });
    const ids = await Promise.all([1, 2, 3].map((n) => topic.publishMessage({ data: Buffer.from(`m${n} ü`), attributes: { kind: n === 2 ? 'b' : 'a' } })));
    assert.equal(new Set(ids).size, 3);
    const got = await gather(one, (all) => all.length === 3);
    assert.deepEqual(got.map((message) => `${message.data}`).sort(), ['m1 ü', 'm2 ü', 'm3 ü']);
    assert.deepEqual(got.map((message) => message.id).sort(), [...ids].sort());
    assert.ok(Math.abs(got[0].publishTime - Date.now()) < 60_000);
    const [filtered] = await gather(two, (all) => all.length === 1);
    assert.deepEqual([`${filtered.data}`, filtered.attributes, filtered.deliveryAttempt], ['m2 ü', { kind: 'b' }, 0]);
    // Nothing is left.
    const left = await (await rest('subscriptions/news-one:pull', 'POST', { maxMessages: 10, returnImmediately: true })).json();
    assert.deepEqual(left, {});
});

test('a listener that waits is told at once, and many messages arrive', async () => {
    const [topic] = await pubsub.createTopic('many');
    const [subscription] = await topic.createSubscription('many-all', { flowControl: { maxMessages: 10 } });
    const all = gather(pubsub.subscription('many-all', { flowControl: { maxMessages: 10 } }), (got) => got.length === 500);
    for (let n = 0; n < 500; n++) topic.publishMessage({ json: { n } });
    const got = await all;
    assert.equal(new Set(got.map((message) => JSON.parse(message.data).n)).size, 500);
    await subscription.delete();
});

test('what is given back comes again, and goes where dead letters go in the end', async () => {
    const [topic, dead] = await Promise.all(['jobs', 'jobs-dead'].map(async (name) => (await pubsub.createTopic(name))[0]));
    const [letters] = await dead.createSubscription('jobs-dead-all');
    const [subscription] = await topic.createSubscription('jobs-all', { deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 } });
    await topic.publishMessage({ data: Buffer.from('bad'), attributes: { a: 'b' } });
    const tries = await gather(subscription, (got) => got.length === 5, (message) => message.nack());
    assert.deepEqual(tries.map((message) => message.deliveryAttempt), [1, 2, 3, 4, 5]);
    const [letter] = await gather(letters, (got) => got.length === 1);
    assert.equal(`${letter.data}`, 'bad');
    assert.deepEqual([letter.attributes.a, letter.attributes.CloudPubSubDeadLetterSourceSubscription, letter.attributes.CloudPubSubDeadLetterSourceDeliveryCount], ['b', 'jobs-all', '5']);
});

test('messages of one key come in order, also when one is given back', async () => {
    const [topic] = await pubsub.createTopic('ordered');
    const [subscription] = await topic.createSubscription('ordered-all', { enableMessageOrdering: true });
    const publisher = pubsub.topic('ordered', { messageOrdering: true });
    for (let n = 0; n < 20; n++) publisher.publishMessage({ data: Buffer.from(`${n}`), orderingKey: n % 2 ? 'odd' : 'even' });
    await publisher.flush();
    let refused = false;
    const got = await gather(subscription, (all) => new Set(all.map((message) => `${message.data}`)).size === 20, async (message) => {
        if (!refused && `${message.data}` === '7') {
            refused = true;
            return message.nack();
        }
        message.ack();
    });
    const last = (key) => [...new Map(got.filter((message) => message.orderingKey === key).map((message, at) => [`${message.data}`, at])).entries()].sort((a, b) => a[1] - b[1]).map(([data]) => Number(data));
    assert.deepEqual(last('even'), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    assert.deepEqual(last('odd'), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
});

test('exactly-once subscriptions say that an acknowledgement has arrived', async () => {
    const [topic] = await pubsub.createTopic('once');
    const [subscription] = await topic.createSubscription('once-all', { enableExactlyOnceDelivery: true });
    await topic.publishMessage({ data: Buffer.from('x') });
    const answers = [];
    await gather(subscription, (got) => got.length === 1, async (message) => answers.push(await message.ackWithResponse()));
    assert.deepEqual(answers, ['SUCCESS']);
});

test('a seek to now forgets what is there', async () => {
    const [topic] = await pubsub.createTopic('seek');
    const [subscription] = await topic.createSubscription('seek-all');
    await topic.publishMessage({ data: Buffer.from('old') });
    await subscription.seek(new Date(Date.now() + 1_000));
    await topic.publishMessage({ data: Buffer.from('new') });
    const got = await gather(subscription, (all) => all.length === 1);
    assert.equal(`${got[0].data}`, 'new');
});

test('messages are sent to an endpoint until it takes them', async () => {
    const told = [];
    const server = createServer(async (request, response) => {
        let body = '';
        for await (const piece of request) body += piece;
        told.push({ headers: request.headers, body: JSON.parse(body) });
        response.writeHead(told.length < 3 ? 500 : 204).end();
        if (told.length === 3) server.emit('enough');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const enough = new Promise((resolve) => server.once('enough', resolve));
    const [topic] = await pubsub.createTopic('pushed');
    const pushEndpoint = `http://127.0.0.1:${server.address().port}/take?a=b`;
    const [subscription] = await topic.createSubscription('pushed-all', { pushConfig: { pushEndpoint, oidcToken: { serviceAccountEmail: 'me@example.com' } } });
    const id = await topic.publishMessage({ data: Buffer.from('hello'), attributes: { a: 'b' } });
    await enough;
    const [{ body, headers }] = told;
    assert.deepEqual([Buffer.from(body.message.data, 'base64').toString(), body.message.attributes, body.message.messageId, body.message.message_id], ['hello', { a: 'b' }, id, id]);
    assert.equal(body.subscription, subscription.name);
    const claims = JSON.parse(Buffer.from(headers.authorization.split('.')[1], 'base64url'));
    assert.deepEqual([claims.email, claims.aud], ['me@example.com', pushEndpoint]);
    await subscription.delete();
    server.close();
});

test('the same over REST', async () => {
    const json = async (response) => [response.status, await response.json()];
    assert.equal((await rest('topics/plain', 'PUT', { labels: { a: 'b' } })).status, 200);
    const name = `projects/${projectId}/topics/plain`;
    assert.deepEqual(await json(await rest('topics/plain')), [200, { name, labels: { a: 'b' } }]);
    assert.equal((await rest('subscriptions/plain-all', 'PUT', { topic: name, ackDeadlineSeconds: 20 })).status, 200);
    const [, { messageIds }] = await json(await rest('topics/plain:publish', 'POST', { messages: [{ data: Buffer.from('x').toString('base64') }, { attributes: { only: 'this' } }] }));
    assert.equal(messageIds.length, 2);
    const [, { receivedMessages }] = await json(await rest('subscriptions/plain-all:pull', 'POST', { maxMessages: 5 }));
    assert.deepEqual(receivedMessages.map(({ message }) => message.messageId).sort(), [...messageIds].sort());
    const ackIds = receivedMessages.map(({ ackId }) => ackId);
    assert.deepEqual(await json(await rest('subscriptions/plain-all:acknowledge', 'POST', { ackIds })), [200, {}]);
    assert.deepEqual(await json(await rest('subscriptions/plain-all:pull', 'POST', { maxMessages: 5, returnImmediately: true })), [200, {}]);
    const [status, { error }] = await json(await rest('topics/none'));
    assert.deepEqual([status, error.code, error.status, error.message], [404, 404, 'NOT_FOUND', 'Resource not found (resource=none).']);
    assert.equal((await rest('topics/plain:publish', 'POST', { messages: [{}] })).status, 400);
});
