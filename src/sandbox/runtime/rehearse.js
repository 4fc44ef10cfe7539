// An invocation before the base image is made. What it does for the first time in the engine's life (properties of built-in objects that
// are made when they are asked for, names, shapes of objects) is part of the image, and need not be done in every sandbox.
((emu) => {
  'use strict';
  const { rt } = emu;
  const seen = new Set();
  const waiting = [globalThis, emu, rt, async () => {}, function* () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().entries(), ''[Symbol.iterator]()];
  while (waiting.length) {
    const object = waiting.pop();
    if (object === null || (typeof object !== 'object' && typeof object !== 'function') || seen.has(object)) continue;
    seen.add(object);
    for (const key of Reflect.ownKeys(object)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(object, key) ?? {};
      waiting.push(value, get, set);
    }
    waiting.push(Reflect.getPrototypeOf(object));
  }

  const http = { method: 'GET', path: '/', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'rehearsal' };
  const headers = { host: '', 'user-agent': '', accept: '', 'accept-encoding': '', connection: '', 'content-type': '', 'content-length': '', 'x-forwarded-for': '', 'x-forwarded-port': '', 'x-forwarded-proto': '', 'x-amzn-trace-id': '', authorization: '' };
  const requestContext = { accountId: '', apiId: '', domainName: '', domainPrefix: '', http, requestId: '', routeKey: '', stage: '', time: '', timeEpoch: 0 };
  const record = { messageId: '', receiptHandle: '', body: '', attributes: {}, messageAttributes: {}, md5OfBody: '', eventSource: '', eventSourceARN: '', awsRegion: '' };
  const events = [
    { version: '2.0', routeKey: '', rawPath: '', rawQueryString: '', headers, requestContext, isBase64Encoded: false },
    { version: '2.0', routeKey: '', rawPath: '', rawQueryString: '', headers, queryStringParameters: {}, requestContext, pathParameters: {}, body: '', isBase64Encoded: false },
    { Records: [record] },
  ];
  const context = { awsRequestId: '', callbackWaitsForEmptyEventLoop: true, functionName: '', functionVersion: '', invokedFunctionArn: '', logGroupName: '', logStreamName: '', memoryLimitInMB: '' };
  const kept = [];
  const begin = JSON.stringify({ now: 0 });
  for (const event of events) {
    emu.entry = {
      handler: async (...given) => {
        kept.push(given);
        await null;
        return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({}) };
      },
    };
    emu.begin(begin);
    emu.invoke(JSON.parse(JSON.stringify(event)), JSON.parse(JSON.stringify({ deadlineMs: 0, context })));
  }
  delete emu.entry;
  // Names and shapes last as long as something has them.
  rt.rehearsed = kept;
})(globalThis.__emu);
