// Functions of the second generation, in TypeScript that nobody compiles.
import { setGlobalOptions } from 'firebase-functions/v2';

setGlobalOptions({ maxInstances: 10 });

export * from './requests.js';
export * as calls from './calls.js';
export * from './events.js';
export * from './app.js';
