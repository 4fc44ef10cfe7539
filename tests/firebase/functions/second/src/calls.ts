import { HttpsError, onCall } from 'firebase-functions/v2/https';

export const whoami = onCall((request) => ({
  uid: request.auth?.uid ?? null,
  email: request.auth?.token.email ?? null,
  app: request.app?.appId ?? null,
  data: request.data,
  streams: request.acceptsStreaming,
}));

export const refuse = onCall<{ code: string }>((request) => {
  throw new HttpsError(request.data.code as 'not-found', `refused: ${request.data.code}`, { reason: 'test' });
});

export const breaks = onCall(() => {
  throw new TypeError('a secret of the server');
});

export const count = onCall<{ to: number }>(async (request, response) => {
  for (let n = 1; n <= request.data.to; n++) await response?.sendChunk({ n });
  return { done: request.data.to };
});

export const guarded = onCall({ enforceAppCheck: true }, () => 'in');
