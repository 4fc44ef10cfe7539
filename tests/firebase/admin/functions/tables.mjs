// All tables, and how a row is run: its answer as JSON, with what names the run taken out.
import { auth } from './auth.mjs';
import { describe, failure } from './describe.mjs';
import { firestore } from './firestore.mjs';
import { messaging } from './messaging.mjs';
import { namespace } from './namespace.mjs';
import { storage } from './storage.mjs';

// What modules have: texts of codes as they are, of all else the kind.
export const names = (modules) => Object.fromEntries(Object.entries(modules).map(([name, its]) => [name, Object.fromEntries(Object.keys(its).map((key) => [key, /ErrorCode$/.test(key) ? its[key] : typeof its[key]]))]));

export function tables(sdk) {
  const parts = Object.fromEntries(Object.entries({ auth, firestore, messaging, namespace, storage }).map(([part, table]) => [part, table({ ...sdk, at: sdk.firestore.getFirestore().doc(`runs/${sdk.run}`) })]));
  return {
    names: () => Object.entries(parts).flatMap(([part, table]) => Object.keys(table).map((name) => [part, name])),
    async run(part, name) {
      let answer;
      try {
        answer = describe(await parts[part][name]());
      } catch (error) {
        answer = { thrown: failure(error), stack: error.stack };
      }
      return JSON.parse(JSON.stringify(answer).replaceAll(`runs/${sdk.run}`, 'RUN').replaceAll(`group${sdk.run}`, 'GROUP').replaceAll(`${sdk.run}-`, 'RUN-'));
    },
  };
}
