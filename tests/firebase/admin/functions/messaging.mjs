// What functions send to devices. `run` begins the tokens and topics of a run.
// Messages to installations of an app by their IDs, which came with version 14.
export async function installations(sdk) {
  const messaging = sdk.getMessaging();
  const { responses } = await messaging.sendEachForMulticast({ tokens: ['t'], fids: ['cXf0', 'gone'], notification: { title: 'T' } });
  const refused = await messaging.send({ fid: 'gone' }).catch((error) => error);
  const missed = await messaging.send({ token: 'gone' }).catch((error) => error);
  return [responses.map(({ success, error }) => [success, error?.code]), refused.code, missed.code, missed.hasCode('registration-token-not-registered'), missed.hasCode(missed.code), missed.hasCode('x'), refused instanceof sdk.FirebaseMessagingError];
}

export const messaging = ({ messaging: sdk, run }) => {
  const messaging = sdk.getMessaging();
  const token = (name) => `${run}-${name}`;
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      return error;
    }
  };
  const plain = ({ responses, successCount, failureCount }) => ({ successCount, failureCount, responses: responses.map(({ success, messageId, error }) => ({ success, messageId: messageId && messageId.split('/').slice(0, -1).join('/'), error })) });
  return {
    async 'a message of every kind'() {
      const id = await messaging.send({ token: token('a'), notification: { title: 'T', body: 'B', imageUrl: 'https://example.com/x.png' }, data: { a: 'b' }, android: { ttl: 3500, priority: 'high', collapseKey: 'c', notification: { color: '#aabbcc', channelId: 'x', eventTimestamp: new Date(5), priority: 'max', vibrateTimingsMillis: [100, 2000] } }, apns: { payload: { aps: { alert: { title: 'A', locKey: 'k', locArgs: ['x'] }, badge: 3, contentAvailable: true, sound: { name: 's', critical: true, volume: 0.5 } } }, fcmOptions: { imageUrl: 'https://example.com/y.png' } }, webpush: { headers: { TTL: '1' }, notification: { title: 'W' }, fcmOptions: { link: 'https://example.com/' } } });
      const tried = await messaging.send({ topic: '/topics/news', notification: { title: 'T' } }, true);
      return [id.split('/').slice(0, -1), typeof tried];
    },
    async 'many at once'() {
      return [plain(await messaging.sendEach([{ token: token('a') }, { topic: `${run}-t` }, {}])), plain(await messaging.sendEachForMulticast({ tokens: [token('a'), token('b')], notification: { title: 'x' } }))];
    },
    async 'topics'() {
      const joined = await messaging.subscribeToTopic([token('a'), token('b')], `${run}-t`);
      const left = await messaging.unsubscribeFromTopic(token('a'), `/topics/${run}-t`);
      return [joined, left];
    },
    async 'what is refused'() {
      const tries = [null, {}, { token: 'a', topic: 'b' }, { topic: 'bad topic' }, { token: 't', data: { a: 1 } }, { token: 't', data: 5 }, { token: 't', android: 5 }, { token: 't', android: { ttl: -1 } }, { token: 't', android: { notification: { color: 'red' } } }, { token: 't', notification: { imageUrl: 'x' } }, { token: 't', apns: { payload: { aps: { sound: {} } } } }, { token: 't', apns: { payload: { aps: { alert: { locArgs: ['a'] } } } } }, { token: 't', fcmOptions: { analyticsLabel: 5 } }, { token: 't', data: { big: 'x'.repeat(5000) } }, { condition: "'a' in" }];
      const out = [];
      for (const each of tries) out.push(await attempt(() => messaging.send(each)));
      out.push(await attempt(() => messaging.sendEach([])), await attempt(() => messaging.sendEachForMulticast({ tokens: [] })), await attempt(() => messaging.send({ token: 'a' }, 'x')));
      for (const [to, topic] of [['', 'x'], [[], 'x'], ['a', ''], ['a', 'bad topic'], [['a', ''], 'x']]) out.push(await attempt(() => messaging.subscribeToTopic(to, topic)));
      return out;
    },
  };
};
