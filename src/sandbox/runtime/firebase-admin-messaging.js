// `firebase-admin/messaging`: messages to devices and topics, over the HTTP interface of FCM.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('firebase-admin/messaging', () => {
    const { errors, codes, appOf, service, projectOf } = rt.require('firebase-admin-app');
    const { exchange } = rt.require('firebase-admin-call');
    const FirebaseMessagingError = errors('messaging', 'FirebaseMessagingError');
    const MessagingErrorCode = codes('invalid-argument invalid-recipient invalid-payload invalid-data-payload-key payload-size-limit-exceeded invalid-options invalid-registration-token registration-token-not-registered installation-id-not-registered mismatched-credential invalid-package-name device-message-rate-exceeded topics-message-rate-exceeded topics-subscription-rate-exceeded message-rate-exceeded third-party-auth-error too-many-topics authentication-error server-unavailable internal-error unknown-error');
    const texts = {
      'registration-token-not-registered': 'The provided registration token is not registered. A previously valid registration token can be unregistered for a variety of reasons. See the error documentation for more details. Remove this registration token and stop using it to send messages.',
      'installation-id-not-registered': 'The app\'s installation with this ID is not registered any more: it was removed, or its ID was renewed. Forget the ID.',
      'invalid-registration-token': 'Invalid registration token provided. Make sure it matches the registration token the client app receives from registering with FCM.',
      'too-many-topics': 'The maximum number of topics the provided registration token can be subscribed to has been exceeded.',
      'server-unavailable': 'The FCM server could not process the request in time. See the error documentation for more details.',
      'internal-error': 'An internal error has occurred. Please retry the request.',
      'authentication-error': 'An error occurred when trying to authenticate to the FCM servers. Make sure the credential used to authenticate this SDK has the proper permissions. See https://firebase.google.com/docs/admin/setup for setup instructions.',
      'invalid-argument': 'Invalid argument provided.',
      'unknown-error': 'An unknown server error was returned.',
    };
    const sending = { NOT_FOUND: 'registration-token-not-registered', UNREGISTERED: 'registration-token-not-registered', PERMISSION_DENIED: 'mismatched-credential', SENDER_ID_MISMATCH: 'mismatched-credential', RESOURCE_EXHAUSTED: 'message-rate-exceeded', QUOTA_EXCEEDED: 'message-rate-exceeded', UNAUTHENTICATED: 'third-party-auth-error', APNS_AUTH_ERROR: 'third-party-auth-error', THIRD_PARTY_AUTH_ERROR: 'third-party-auth-error', INTERNAL: 'internal-error', INVALID_ARGUMENT: 'invalid-argument', UNAVAILABLE: 'server-unavailable' };
    const topical = { NOT_FOUND: 'registration-token-not-registered', INVALID_ARGUMENT: 'invalid-registration-token', TOO_MANY_TOPICS: 'too-many-topics', RESOURCE_EXHAUSTED: 'too-many-topics', PERMISSION_DENIED: 'authentication-error', DEADLINE_EXCEEDED: 'server-unavailable', INTERNAL: 'internal-error' };
    /** `isFid`: a message to an installation was refused. */
    const refused = (answer, isFid = false) => {
      const error = answer.json?.error;
      if (error === undefined) {
        const code = { 400: 'invalid-argument', 401: 'authentication-error', 403: 'authentication-error', 500: 'internal-error', 503: 'server-unavailable' }[answer.status] ?? 'unknown-error';
        return new FirebaseMessagingError(code, `${texts[code]} Raw server response: "${answer.text}". Status code: ${answer.status}.`);
      }
      const fcm = error.details?.find?.((detail) => detail['@type'] === 'type.googleapis.com/google.firebase.fcm.v1.FcmError');
      const name = typeof error === 'string' ? error : fcm?.errorCode ?? error.status ?? error.message;
      const found = sending[name] ?? 'unknown-error';
      const code = isFid && found === 'registration-token-not-registered' ? 'installation-id-not-registered' : found;
      const message = error.message || texts[code] || texts['unknown-error'];
      return new FirebaseMessagingError(code, code === 'unknown-error' && name !== 'UNSPECIFIED_ERROR' ? `${message} Raw server response: "${JSON.stringify(answer.json)}"` : message);
    };
    const wrong = (message) => new FirebaseMessagingError('invalid-payload', message);
    const argument = (message) => new FirebaseMessagingError('invalid-argument', message);
    const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
    const isName = (value) => typeof value === 'string' && value !== '';
    const isUrl = (value) => typeof value === 'string' && URL.canParse(value) && /^https?:/.test(value);
    const seconds = (milliseconds) => {
      const whole = Math.floor(milliseconds / 1000);
      const nanos = Math.floor((milliseconds - whole * 1000) * 1e6);
      return nanos > 0 ? `${whole}.${String(nanos).padStart(9, '0')}s` : `${whole}s`;
    };
    const isDuration = (value) => typeof value === 'number' && value >= 0;
    /** A part of a message, its names as the service has them; nothing of what is not there. */
    const part = (label, given, names, change) => {
      if (given === undefined) return undefined;
      if (!isObject(given)) throw wrong(`${label} must be a non-null object`);
      const own = { ...given };
      change?.(own);
      const out = {};
      for (const [name, value] of Object.entries(own)) {
        const to = names[name];
        if (to && to in given) throw wrong(`Multiple specifications for ${name} in ${label.split('.').at(-1)}`);
        if (value !== undefined) out[to ?? name] = value;
      }
      return out;
    };
    const words = (map, label) => {
      if (map === undefined) return;
      if (!isObject(map)) throw wrong(`${label} must be a non-null object`);
      if (!Object.values(map).every((value) => typeof value === 'string')) throw wrong(`${label} must only contain string values`);
    };
    const options = (given, label, names = {}) => part('fcmOptions', given, names, (its) => {
      if (its.imageUrl !== undefined && !isUrl(its.imageUrl)) throw wrong('imageUrl must be a valid URL string');
      if (its.analyticsLabel !== undefined && typeof its.analyticsLabel !== 'string') throw wrong('analyticsLabel must be a string value');
    });
    const lights = (given) => part('android.notification.lightSettings', given, { lightOnDurationMillis: 'light_on_duration', lightOffDurationMillis: 'light_off_duration' }, (its) => {
      for (const name of ['lightOnDurationMillis', 'lightOffDurationMillis']) {
        if (!isDuration(its[name])) throw wrong(`android.notification.lightSettings.${name} must be a non-negative duration in milliseconds`);
        its[name] = seconds(its[name]);
      }
      const [, red, green, blue, alpha = 'ff'] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})([\da-f]{2})?$/i.exec(its.color) ?? [];
      if (!red) throw wrong('android.notification.lightSettings.color must be in the form #RRGGBB or #RRGGBBAA format');
      const share = (digits) => parseInt(digits, 16) / 255;
      its.color = { red: share(red), green: share(green), blue: share(blue), alpha: share(alpha) };
    });
    const needsKey = (its, label, pairs) => {
      for (const [list, key] of pairs) if (Array.isArray(its[list]) && its[list].length && !isName(its[key])) throw wrong(`${label}.${key} is required when specifying ${list}`);
    };
    const androidNotification = (given) => part('android.notification', given, { clickAction: 'click_action', bodyLocKey: 'body_loc_key', bodyLocArgs: 'body_loc_args', titleLocKey: 'title_loc_key', titleLocArgs: 'title_loc_args', channelId: 'channel_id', imageUrl: 'image', eventTimestamp: 'event_time', localOnly: 'local_only', priority: 'notification_priority', vibrateTimingsMillis: 'vibrate_timings', defaultVibrateTimings: 'default_vibrate_timings', defaultSound: 'default_sound', lightSettings: 'light_settings', defaultLightSettings: 'default_light_settings', notificationCount: 'notification_count' }, (its) => {
      if (its.color !== undefined && !/^#[0-9a-fA-F]{6}$/.test(its.color)) throw wrong('android.notification.color must be in the form #RRGGBB');
      needsKey(its, 'android.notification', [['bodyLocArgs', 'bodyLocKey'], ['titleLocArgs', 'titleLocKey']]);
      if (its.imageUrl !== undefined && !isUrl(its.imageUrl)) throw wrong('android.notification.imageUrl must be a valid URL string');
      if (its.eventTimestamp !== undefined) {
        if (!(its.eventTimestamp instanceof Date)) throw wrong('android.notification.eventTimestamp must be a valid `Date` object');
        its.eventTimestamp = its.eventTimestamp.toISOString();
      }
      if (its.vibrateTimingsMillis !== undefined) {
        if (!Array.isArray(its.vibrateTimingsMillis) || !its.vibrateTimingsMillis.length) throw wrong('android.notification.vibrateTimingsMillis must be a non-empty array of numbers');
        if (!its.vibrateTimingsMillis.every(isDuration)) throw wrong('android.notification.vibrateTimingsMillis must be non-negative durations in milliseconds');
        its.vibrateTimingsMillis = its.vibrateTimingsMillis.map(seconds);
      }
      if (its.priority !== undefined) its.priority = `PRIORITY_${its.priority.toUpperCase()}`;
      for (const name of ['proxy', 'visibility']) if (its[name] !== undefined) its[name] = its[name].toUpperCase();
      its.lightSettings = lights(its.lightSettings);
    });
    const flag = (its, name) => {
      if (its[name] !== undefined) its[name] = its[name] === true || its[name] === 1 ? 1 : undefined;
    };
    const aps = (given) => part('apns.payload.aps', given, { contentAvailable: 'content-available', mutableContent: 'mutable-content', threadId: 'thread-id' }, (its) => {
      if (its.alert !== undefined && typeof its.alert !== 'string') {
        if (!isObject(its.alert)) throw wrong('apns.payload.aps.alert must be a string or a non-null object');
        needsKey(its.alert, 'apns.payload.aps.alert', [['locArgs', 'locKey'], ['titleLocArgs', 'titleLocKey'], ['subtitleLocArgs', 'subtitleLocKey']]);
        its.alert = part('apns.payload.aps.alert', its.alert, { locKey: 'loc-key', locArgs: 'loc-args', titleLocKey: 'title-loc-key', titleLocArgs: 'title-loc-args', subtitleLocKey: 'subtitle-loc-key', subtitleLocArgs: 'subtitle-loc-args', actionLocKey: 'action-loc-key', launchImage: 'launch-image' });
      }
      if (its.sound !== undefined && !isName(its.sound)) {
        const { sound } = its;
        if (!isObject(sound)) throw wrong('apns.payload.aps.sound must be a non-empty string or a non-null object');
        if (!isName(sound.name)) throw wrong('apns.payload.aps.sound.name must be a non-empty string');
        if (sound.volume !== undefined && typeof sound.volume !== 'number') throw wrong('apns.payload.aps.sound.volume must be a number');
        if (sound.volume < 0 || sound.volume > 1) throw wrong('apns.payload.aps.sound.volume must be in the interval [0, 1]');
        its.sound = part('apns.payload.aps.sound', sound, {}, (own) => flag(own, 'critical'));
      }
      for (const name of ['contentAvailable', 'mutableContent', 'content-available', 'mutable-content']) flag(its, name);
    });
    /** A message as the service takes it. */
    const message = (given) => {
      if (!isObject(given)) throw wrong('Message must be a non-null object');
      const own = structuredClone(given);
      if (own.topic) {
        own.topic = own.topic.replace(/^\/topics\//, '');
        if (!/^[a-zA-Z0-9-_.~%]+$/.test(own.topic)) throw wrong('Malformed topic name');
      }
      if ([own.token, own.fid, own.topic, own.condition].filter(isName).length !== 1) throw wrong('Exactly one of topic, token or condition is required');
      words(own.data, 'data');
      const made = {
        ...own,
        android: part('android', own.android, { collapseKey: 'collapse_key', restrictedPackageName: 'restricted_package_name', directBootOk: 'direct_boot_ok', bandwidthConstrainedOk: 'bandwidth_constrained_ok', restrictedSatelliteOk: 'restricted_satellite_ok' }, (its) => {
          if (its.ttl !== undefined) {
            if (!isDuration(its.ttl)) throw wrong('TTL must be a non-negative duration in milliseconds');
            its.ttl = seconds(its.ttl);
          }
          words(its.data, 'android.data');
          its.notification = androidNotification(its.notification);
          its.fcmOptions = options(its.fcmOptions);
        }),
        webpush: part('webpush', own.webpush, {}, (its) => {
          words(its.headers, 'webpush.headers');
          words(its.data, 'webpush.data');
        }),
        apns: part('apns', own.apns, { liveActivityToken: 'live_activity_token' }, (its) => {
          if (its.liveActivityToken !== undefined && !isName(its.liveActivityToken)) throw wrong(`apns.liveActivityToken must be a ${typeof its.liveActivityToken === 'string' ? 'non-empty string' : 'string value'}`);
          words(its.headers, 'apns.headers');
          its.payload = part('apns.payload', its.payload, {}, (payload) => { payload.aps = aps(payload.aps); });
          its.fcmOptions = options(its.fcmOptions, 'ApnsFcmOptions', { imageUrl: 'image' });
        }),
        fcmOptions: options(own.fcmOptions),
        notification: part('notification', own.notification, { imageUrl: 'image' }, (its) => {
          if (its.imageUrl !== undefined && !isUrl(its.imageUrl)) throw wrong('notification.imageUrl must be a valid URL string');
        }),
      };
      return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
    };
    const most = 500;

    class Messaging {
      constructor(app) { Object.defineProperty(this, 'app', { value: app }); }
      enableLegacyHttpTransport() {}
      #post(body) { return exchange('POST', `https://fcm.googleapis.com/v1/projects/${projectOf(this.app)}/messages:send`, body); }
      #body(given, dryRun) { return { message: message(given), ...(dryRun ? { validate_only: true } : {}) }; }
      #dry(dryRun) {
        if (dryRun !== undefined && typeof dryRun !== 'boolean') throw argument('dryRun must be a boolean');
      }
      send(given, dryRun) {
        const body = this.#body(given, dryRun);
        this.#dry(dryRun);
        return this.#post(body).then((answer) => {
          if (answer.status >= 300 || !answer.json) throw refused(answer, isName(body.message.fid));
          return answer.json.name;
        });
      }
      async sendEach(messages, dryRun) {
        if (!Array.isArray(messages) || !messages.length) throw argument('messages must be a non-empty array');
        if (messages.length > most) throw argument(`messages list must not contain more than ${most} items`);
        this.#dry(dryRun);
        const responses = await Promise.all(messages.map(async (one) => {
          try {
            const body = this.#body(one, dryRun);
            const answer = await this.#post(body);
            return answer.status === 200 ? { success: true, messageId: answer.json?.name } : { success: false, error: refused(answer, isName(body.message.fid)) };
          } catch (error) {
            return { success: false, error };
          }
        }));
        const successCount = responses.filter(({ success }) => success).length;
        return { responses, successCount, failureCount: responses.length - successCount };
      }
      async sendEachForMulticast(given, dryRun) {
        if (!isObject(given)) throw argument('MulticastMessage must be a non-null object');
        const { tokens, fids, android, apns, data, notification, webpush, fcmOptions } = given;
        if (fids !== undefined && !Array.isArray(fids)) throw argument('fids must be a valid array');
        const isList = Array.isArray(tokens) || (tokens === undefined && fids !== undefined);
        const to = isList ? [...(tokens ?? []).map((token) => ({ token })), ...(fids ?? []).map((fid) => ({ fid }))] : [];
        if (!to.length) throw argument('tokens must be a non-empty array');
        if (to.length > most) throw argument(`tokens list must not contain more than ${most} items`);
        return this.sendEach(to.map((one) => ({ ...one, android, apns, data, notification, webpush, fcmOptions })), dryRun);
      }
      subscribeToTopic(tokens, topic) { return this.#topic(tokens, topic, 'subscribeToTopic', 'batchAdd'); }
      subscribeToTopicLegacy(tokens, topic) { return this.#topic(tokens, topic, 'subscribeToTopicLegacy', 'batchAdd'); }
      unsubscribeFromTopicLegacy(tokens, topic) { return this.#topic(tokens, topic, 'unsubscribeFromTopicLegacy', 'batchRemove'); }
      unsubscribeFromTopic(tokens, topic) { return this.#topic(tokens, topic, 'unsubscribeFromTopic', 'batchRemove'); }
      async #topic(tokens, topic, name, verb) {
        const format = `Topic provided to ${name}() must be a string which matches the format "/topics/[a-zA-Z0-9-_.~%]+".`;
        if (!isName(tokens) && !(Array.isArray(tokens) && tokens.length)) throw argument(`Registration token(s) provided to ${name}() must be a non-empty string or a non-empty array.`);
        if (!isName(topic)) throw argument(format);
        const list = [tokens].flat();
        if (list.length > 1000) throw argument(`Too many registration tokens provided in a single request to ${name}(). Batch your requests to contain no more than 1,000 registration tokens per request.`);
        list.forEach((token, at) => {
          if (!isName(token)) throw argument(`Registration token provided to ${name}() at index ${at} must be a non-empty string.`);
        });
        const to = topic.startsWith('/topics/') ? topic : `/topics/${topic}`;
        if (!/^(\/topics\/)?(private\/)?[a-zA-Z0-9-_.~%]+$/.test(to)) throw argument(format);
        const answer = await exchange('POST', `https://iid.googleapis.com/iid/v1:${verb}`, { to, registration_tokens: list }, { access_token_auth: 'true' });
        if (answer.status >= 300 || !answer.json || answer.json.error) throw refused(answer);
        const failed = (answer.json.results ?? []).map((result, index) => ({ result, index })).filter(({ result }) => 'error' in result);
        const found = failed.map(({ result, index }) => {
          const code = topical[result.error] ?? 'unknown-error';
          return { index, error: new FirebaseMessagingError(code, code === 'unknown-error' && result.error !== 'UNKNOWN' ? `${texts[code]} Raw server response: "${JSON.stringify(result.error)}"` : texts[code]) };
        });
        return { successCount: (answer.json.results ?? []).length - found.length, failureCount: found.length, errors: found };
      }
    }
    const getMessaging = (app) => service(appOf(app), 'messaging', (its) => new Messaging(its));
    return { getMessaging, Messaging, FirebaseMessagingError, MessagingErrorCode };
  });
})(globalThis.__emu);
