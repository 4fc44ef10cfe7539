// `firebase-admin/functions`: tasks put on the queue of a function.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('firebase-admin/functions', () => {
    const { errors, codes, appOf, service, projectOf } = rt.require('firebase-admin-app');
    const { exchange } = rt.require('firebase-admin-call');
    const FirebaseFunctionsError = errors('functions', 'FirebaseFunctionsError');
    const FunctionsErrorCode = codes('aborted invalid-argument invalid-credential internal-error failed-precondition permission-denied unauthenticated not-found unknown-error task-already-exists');
    const wrong = (message) => new FirebaseFunctionsError('invalid-argument', message);
    const said = { ABORTED: 'aborted', INVALID_ARGUMENT: 'invalid-argument', INVALID_CREDENTIAL: 'invalid-credential', INTERNAL: 'internal-error', FAILED_PRECONDITION: 'failed-precondition', PERMISSION_DENIED: 'permission-denied', UNAUTHENTICATED: 'unauthenticated', NOT_FOUND: 'not-found', UNKNOWN: 'unknown-error' };
    const refused = (answer) => new FirebaseFunctionsError(said[answer.json?.error?.status] ?? 'unknown-error', answer.json ? answer.json.error?.message || `Unknown server error: ${answer.text}` : `Unexpected response with status: ${answer.status} and body: ${answer.text}`);
    const isName = (value) => typeof value === 'string' && value !== '';
    const checkId = (id) => {
      if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,500}$/.test(id)) throw wrong('id can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). The maximum length is 500 characters.');
    };
    class TaskQueue {
      #app; #name; #extension;
      constructor(app, name, extension) {
        if (!isName(name)) throw wrong('`functionName` must be a non-empty string.');
        if (extension !== undefined && typeof extension !== 'string') throw wrong('`extensionId` must be a string.');
        this.#app = app;
        this.#name = name;
        this.#extension = extension;
      }
      /** The queue: a function's name, its region and name, or the whole resource. */
      #queue() {
        const [, project, location, id] = /^(?:projects\/([^/]+)\/)?(?:locations\/([^/]+)\/functions\/)?([^/]+)$/.exec(this.#name) ?? [];
        if (!id) throw wrong('Function name must be a single string or a qualified resource name');
        return { project: project ?? projectOf(this.#app), location: location ?? 'us-central1', id: this.#extension ? `ext-${this.#extension}-${id}` : id };
      }
      async enqueue(data, options) {
        const { project, location, id } = this.#queue();
        const queue = `projects/${project}/locations/${location}/queues/${id}`;
        if (options !== undefined && (typeof options !== 'object' || options === null)) throw wrong('TaskOptions must be a non-null object');
        const { scheduleTime: at, scheduleDelaySeconds: delay, dispatchDeadlineSeconds: deadline, id: name, uri, headers } = options ?? {};
        if (options && 'scheduleTime' in options && 'scheduleDelaySeconds' in options) throw wrong('Both scheduleTime and scheduleDelaySeconds are provided. Only one value should be set.');
        if (at !== undefined && !(at instanceof Date)) throw wrong('scheduleTime must be a valid Date object.');
        if (delay !== undefined && !(typeof delay === 'number' && delay >= 0)) throw wrong('scheduleDelaySeconds must be a non-negative duration in seconds.');
        if (deadline !== undefined && !(typeof deadline === 'number' && deadline >= 15 && deadline <= 1800)) throw wrong('dispatchDeadlineSeconds must be a non-negative duration in seconds and must be in the range of 15s to 30 mins.');
        if (name !== undefined) checkId(name);
        if (uri !== undefined && !URL.canParse(uri)) throw wrong('uri must be a valid URL string.');
        const due = at ?? (delay === undefined ? undefined : new Date(Date.now() + delay * 1000));
        const body = rt.Buffer.from(JSON.stringify({ data })).toString('base64');
        const task = {
          httpRequest: { url: uri ?? `https://${location}-${project}.cloudfunctions.net/${id}`, oidcToken: { serviceAccountEmail: 'emulated-service-acct@email.com' }, body, headers: { 'Content-Type': 'application/json', ...headers } },
          ...(due && { scheduleTime: due.toISOString() }), ...(deadline !== undefined && { dispatchDeadline: `${deadline}s` }), ...(name !== undefined && { name: `${queue}/tasks/${name}` }),
        };
        const answer = await exchange('POST', `https://cloudtasks.googleapis.com/v2/${queue}/tasks`, { task });
        if (answer.status === 409) throw new FirebaseFunctionsError('task-already-exists', `A task with ID ${name} already exists`);
        if (answer.status >= 300) throw refused(answer);
      }
      async delete(name) {
        checkId(name);
        const { project, location, id } = this.#queue();
        const answer = await exchange('DELETE', `https://cloudtasks.googleapis.com/v2/projects/${project}/locations/${location}/queues/${id}/tasks/${name}`);
        if (answer.status >= 300 && answer.status !== 404) throw refused(answer);
      }
    }
    class Functions {
      constructor(app) { Object.defineProperty(this, 'app', { value: app }); }
      taskQueue(name, extension) { return new TaskQueue(this.app, name, extension); }
    }
    const getFunctions = (app) => service(appOf(app), 'functions', (its) => new Functions(its));
    return { getFunctions, Functions, TaskQueue, FirebaseFunctionsError, FunctionsErrorCode };
  });
})(globalThis.__emu);
