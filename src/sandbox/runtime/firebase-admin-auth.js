// `firebase-admin/auth`: users, their claims, and the tokens that say who they are.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-users');
  rt.define('firebase-admin-users', () => {
    const { errors, codes } = rt.require('firebase-admin-app');
    const FirebaseAuthError = errors('auth', 'FirebaseAuthError');
    const AuthErrorCode = codes('auth-blocking-token-expired billing-not-enabled claims-too-large configuration-exists configuration-not-found id-token-expired invalid-config email-already-exists email-not-found invalid-id-token id-token-revoked internal-error invalid-claims invalid-continue-uri invalid-creation-time invalid-credential invalid-disabled-field invalid-display-name invalid-dynamic-link-domain invalid-hosting-link-domain invalid-email-verified invalid-email invalid-new-email invalid-enrolled-factors invalid-enrollment-time invalid-hash-algorithm invalid-hash-block-size invalid-hash-derived-key-length invalid-hash-key invalid-hash-memory-cost invalid-hash-parallelization invalid-hash-rounds invalid-hash-salt-separator invalid-last-sign-in-time invalid-name invalid-oauth-client-id invalid-page-token invalid-password invalid-password-hash invalid-password-salt invalid-phone-number invalid-photo-url invalid-project-id invalid-provider-data invalid-provider-id invalid-provider-uid invalid-oauth-responsetype invalid-session-cookie-duration invalid-tenant-id invalid-tenant-type invalid-testing-phone-number invalid-uid invalid-user-import invalid-tokens-valid-after-time mismatching-tenant-id missing-android-package-name missing-config missing-continue-uri missing-display-name missing-email missing-ios-bundle-id missing-issuer missing-hash-algorithm missing-oauth-client-id missing-oauth-client-secret missing-provider-id missing-saml-relying-party-config maximum-user-count-exceeded missing-uid operation-not-allowed password-does-not-meet-requirements phone-number-already-exists project-not-found insufficient-permission quota-exceeded second-factor-limit-exceeded second-factor-uid-already-exists session-cookie-expired session-cookie-revoked tenant-not-found uid-already-exists unsupported-first-factor unsupported-second-factor unsupported-tenant-operation unverified-email user-not-found not-found user-disabled user-not-disabled invalid-recaptcha-action invalid-recaptcha-enforcement-state recaptcha-not-enabled', { INVALID_ARGUMENT: 'argument-error', FORBIDDEN_CLAIM: 'reserved-claim', MAXIMUM_TEST_PHONE_NUMBER_EXCEEDED: 'test-phone-number-limit-exceeded', UNAUTHORIZED_DOMAIN: 'unauthorized-continue-uri' });
    // What the service calls a mistake → the SDK's code, and what it says where the service says nothing.
    const known = Object.fromEntries(`
      BILLING_NOT_ENABLED billing-not-enabled Feature requires billing to be enabled.
      CLAIMS_TOO_LARGE claims-too-large Developer claims maximum payload size exceeded.
      CONFIGURATION_NOT_FOUND configuration-not-found There is no configuration corresponding to the provided identifier.
      INVALID_CONTINUE_URI invalid-continue-uri The continue URL must be a valid URL string.
      DUPLICATE_EMAIL email-already-exists The email address is already in use by another account.
      DUPLICATE_LOCAL_ID uid-already-exists The user with the provided uid already exists.
      DUPLICATE_MFA_ENROLLMENT_ID second-factor-uid-already-exists The specified second factor "uid" already exists.
      EMAIL_EXISTS email-already-exists The email address is already in use by another account.
      EMAIL_NOT_FOUND email-not-found There is no user record corresponding to the provided email.
      FORBIDDEN_CLAIM reserved-claim The specified developer claim is reserved and cannot be specified.
      INVALID_CLAIMS invalid-claims The provided custom claim attributes are invalid.
      INVALID_DURATION invalid-session-cookie-duration The session cookie duration must be a valid number in milliseconds between 5 minutes and 2 weeks.
      INVALID_EMAIL invalid-email The email address is improperly formatted.
      INVALID_NEW_EMAIL invalid-new-email The new email address is improperly formatted.
      INVALID_DISPLAY_NAME invalid-display-name The displayName field must be a valid string.
      INVALID_ID_TOKEN invalid-id-token The provided ID token is not a valid Firebase ID token.
      INVALID_PAGE_SELECTION invalid-page-token The page token must be a valid non-empty string.
      INVALID_PHONE_NUMBER invalid-phone-number The phone number must be a non-empty E.164 standard compliant identifier string.
      INVALID_PROVIDER_ID invalid-provider-id The providerId must be a valid supported provider identifier string.
      INVALID_TENANT_ID invalid-tenant-id The tenant ID must be a valid non-empty string.
      MISSING_EMAIL missing-email The email is required for the specified action. For example, a multi-factor user requires a verified email.
      MISSING_LOCAL_ID missing-uid A uid identifier is required for the current operation.
      MISSING_USER_ACCOUNT missing-uid A uid identifier is required for the current operation.
      MISSING_CONTINUE_URI missing-continue-uri A valid continue URL must be provided in the request.
      MISSING_HASH_ALGORITHM missing-hash-algorithm Importing users with password hashes requires that the hashing algorithm and its parameters be provided.
      MAXIMUM_USER_COUNT_EXCEEDED maximum-user-count-exceeded The maximum allowed number of users to import has been exceeded.
      OPERATION_NOT_ALLOWED operation-not-allowed The given sign-in provider is disabled for this Firebase project. Enable it in the Firebase console, under the sign-in method tab of the Auth section.
      PHONE_NUMBER_EXISTS phone-number-already-exists The user with the provided phone number already exists.
      PROJECT_NOT_FOUND project-not-found No Firebase project was found for the provided credential.
      QUOTA_EXCEEDED quota-exceeded The project quota for the specified operation has been exceeded.
      TENANT_NOT_FOUND tenant-not-found There is no tenant corresponding to the provided identifier.
      TENANT_ID_MISMATCH mismatching-tenant-id User tenant ID does not match with the current TenantAwareAuth tenant ID.
      TOKEN_EXPIRED id-token-expired The provided Firebase ID token is expired.
      UNSUPPORTED_FIRST_FACTOR unsupported-first-factor A multi-factor user requires a supported first factor.
      UNSUPPORTED_SECOND_FACTOR unsupported-second-factor The request specified an unsupported type of second factor.
      UNSUPPORTED_TENANT_OPERATION unsupported-tenant-operation This operation is not supported in a multi-tenant context.
      UNVERIFIED_EMAIL unverified-email A verified email is required for the specified action. For example, a multi-factor user requires a verified email.
      USER_NOT_FOUND user-not-found There is no user record corresponding to the provided identifier.
      USER_NOT_DISABLED user-not-disabled The user must be disabled in order to bulk delete it (or you must pass force=true).
      USER_DISABLED user-disabled The user record is disabled.
      WEAK_PASSWORD invalid-password The password must be a string with at least 6 characters.
      ID_TOKEN_REVOKED id-token-revoked The Firebase ID token has been revoked.
      SESSION_COOKIE_REVOKED session-cookie-revoked The Firebase session cookie has been revoked.
      SESSION_COOKIE_EXPIRED session-cookie-expired The Firebase session cookie is expired.
      INVALID_ARGUMENT argument-error Invalid argument provided.
      INVALID_UID invalid-uid The uid must be a non-empty string with at most 128 characters.
      INVALID_PASSWORD invalid-password The password must be a string with at least 6 characters.
      INVALID_PASSWORD_HASH invalid-password-hash The password hash must be a valid byte buffer.
      INVALID_PASSWORD_SALT invalid-password-salt The password salt must be a valid byte buffer.
      INVALID_HASH_ALGORITHM invalid-hash-algorithm The hash algorithm must match one of the strings in the list of supported algorithms.
      INVALID_HASH_KEY invalid-hash-key The hash key must a valid byte buffer.
      INVALID_HASH_ROUNDS invalid-hash-rounds The hash rounds must be a valid number.
      INVALID_EMAIL_VERIFIED invalid-email-verified The emailVerified field must be a boolean.
      INVALID_PHOTO_URL invalid-photo-url The photoURL field must be a valid URL.
      INVALID_DISABLED_FIELD invalid-disabled-field The disabled field must be a boolean.
      INVALID_PROVIDER_UID invalid-provider-uid The providerUid must be a valid provider uid string.
      INVALID_ENROLLED_FACTORS invalid-enrolled-factors The enrolled factors must be a valid array of MultiFactorInfo objects.
      INVALID_USER_IMPORT invalid-user-import The user record to import is invalid.
      INTERNAL_ERROR internal-error An internal error has occurred.
    `.trim().split('\n').map((row) => /^\s*(\S+) (\S+) (.*)$/.exec(row).slice(1)).map(([key, code, message]) => [key, { code, message }]));
    const fail = (key, message) => new FirebaseAuthError(known[key].code, message ?? known[key].message);
    /** What the service refused a request with. */
    const refused = (answer) => {
      const given = answer.json?.error?.message;
      if (!given) return fail('INTERNAL_ERROR', `Error returned from server: ${answer.text}. Additionally, an internal error occurred while attempting to extract the errorcode from the error.`);
      const [, key, words] = /^([^:]*?)\s*(?::\s*([^]*))?$/.exec(given);
      if (known[key]) return fail(key, words || undefined);
      return fail('INTERNAL_ERROR', `${words || known.INTERNAL_ERROR.message} Raw server response: "${JSON.stringify(answer.json)}"`);
    };

    const fixed = (object, fields) => {
      for (const [name, value] of Object.entries(fields)) Object.defineProperty(object, name, { value, enumerable: true });
    };
    const date = (milliseconds) => {
      const at = new Date(parseInt(milliseconds, 10));
      return Number.isNaN(at.getTime()) ? null : at.toUTCString();
    };
    class MultiFactorInfo {
      constructor(raw) { fixed(this, { uid: raw.mfaEnrollmentId, factorId: raw.phoneInfo ? 'phone' : 'totp', displayName: raw.displayName, enrollmentTime: raw.enrolledAt ? new Date(raw.enrolledAt).toUTCString() : null, ...(raw.phoneInfo ? { phoneNumber: raw.phoneInfo } : { totpInfo: raw.totpInfo }) }); }
      toJSON() { return { ...this }; }
    }
    class UserMetadata {
      constructor(raw) { fixed(this, { creationTime: date(raw.createdAt), lastSignInTime: date(raw.lastLoginAt), lastRefreshTime: raw.lastRefreshAt ? new Date(raw.lastRefreshAt).toUTCString() : null }); }
      toJSON() { return { lastSignInTime: this.lastSignInTime, creationTime: this.creationTime, lastRefreshTime: this.lastRefreshTime }; }
    }
    class UserInfo {
      constructor(raw) { fixed(this, { uid: raw.rawId, displayName: raw.displayName, email: raw.email, photoURL: raw.photoUrl, providerId: raw.providerId, phoneNumber: raw.phoneNumber }); }
      toJSON() { return { ...this }; }
    }
    /** A user, of what the service says of one. */
    class UserRecord {
      constructor(raw) {
        if (!raw?.localId) throw fail('INTERNAL_ERROR', 'INTERNAL ASSERT FAILED: Invalid user response');
        const factors = (raw.mfaInfo ?? []).filter((one) => one.mfaEnrollmentId && (one.phoneInfo || one.totpInfo)).map((one) => new MultiFactorInfo(one));
        fixed(this, {
          uid: raw.localId, email: raw.email, emailVerified: Boolean(raw.emailVerified), displayName: raw.displayName, photoURL: raw.photoUrl, phoneNumber: raw.phoneNumber, disabled: raw.disabled ?? false,
          metadata: new UserMetadata(raw), providerData: (raw.providerUserInfo ?? []).map((one) => new UserInfo(one)), passwordHash: raw.passwordHash === 'UkVEQUNURUQ=' ? undefined : raw.passwordHash, passwordSalt: raw.salt,
          ...(raw.customAttributes ? { customClaims: JSON.parse(raw.customAttributes) } : {}),
          tokensValidAfterTime: (raw.validSince === undefined ? null : date(parseInt(raw.validSince, 10) * 1000)) || undefined, tenantId: raw.tenantId,
          ...(factors.length ? { multiFactor: { enrolledFactors: Object.freeze(factors), toJSON: () => ({ enrolledFactors: factors.map((one) => one.toJSON()) }) } } : {}),
        });
      }
      toJSON() {
        const { providerData, multiFactor, metadata, ...rest } = this;
        const { uid, email, emailVerified, displayName, photoURL, phoneNumber, disabled, passwordHash, passwordSalt, customClaims, tokensValidAfterTime, tenantId } = rest;
        return { uid, email, emailVerified, displayName, photoURL, phoneNumber, disabled, metadata: metadata.toJSON(), passwordHash, passwordSalt, customClaims: customClaims && structuredClone(customClaims), tokensValidAfterTime, tenantId, ...(multiFactor ? { multiFactor: multiFactor.toJSON() } : {}), providerData: providerData.map((one) => one.toJSON()) };
      }
    }

    const is = {
      uid: (value) => typeof value === 'string' && value.length > 0 && value.length <= 128,
      email: (value) => typeof value === 'string' && /^[^@]+@[^@]+$/.test(value),
      phone: (value) => typeof value === 'string' && /^\+/.test(value) && /[\da-zA-Z]+/.test(value),
      password: (value) => typeof value === 'string' && value.length >= 6,
      url: (value) => typeof value === 'string' && value !== '' && !/[^a-z0-9:/?#[\]@!$&'()*+,;=.\-_~%]/i.test(value) && URL.canParse(value) && /^https?:/.test(value),
      text: (value) => typeof value === 'string',
      flag: (value) => typeof value === 'boolean',
      object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      name: (value) => typeof value === 'string' && value !== '',
    };
    const reserved = ['acr', 'amr', 'at_hash', 'aud', 'auth_time', 'azp', 'cnf', 'c_hash', 'exp', 'iat', 'iss', 'jti', 'nbf', 'nonce', 'sub', 'firebase'];
    /** What an account may be made or changed to. */
    const check = (request) => {
      for (const [name, test, key] of [['displayName', is.text, 'INVALID_DISPLAY_NAME'], ['localId', is.uid, 'INVALID_UID'], ['email', is.email, 'INVALID_EMAIL'], ['phoneNumber', is.phone, 'INVALID_PHONE_NUMBER'], ['password', is.password, 'INVALID_PASSWORD'], ['emailVerified', is.flag, 'INVALID_EMAIL_VERIFIED'], ['photoUrl', is.url, 'INVALID_PHOTO_URL'], ['disabled', is.flag, 'INVALID_DISABLED_FIELD'], ['disableUser', is.flag, 'INVALID_DISABLED_FIELD']]) {
        if (request[name] !== undefined && !test(request[name])) throw fail(key);
      }
      if (request.customAttributes === undefined) return request;
      const taken = reserved.filter((name) => Object.hasOwn(JSON.parse(request.customAttributes), name));
      if (taken.length) throw fail('FORBIDDEN_CLAIM', taken.length > 1 ? `Developer claims "${taken.join('", "')}" are reserved and cannot be specified.` : `Developer claim "${taken[0]}" is reserved and cannot be specified.`);
      if (request.customAttributes.length > 1000) throw fail('CLAIMS_TOO_LARGE', 'Developer claims payload should not exceed 1000 characters.');
      return request;
    };
    const factor = (given) => {
      if (given.factorId !== 'phone') throw fail('UNSUPPORTED_SECOND_FACTOR', `Unsupported second factor "${JSON.stringify(given)}" provided.`);
      return { mfaEnrollmentId: given.uid, displayName: given.displayName, phoneInfo: given.phoneNumber, ...(given.enrollmentTime === undefined ? {} : { enrolledAt: new Date(given.enrollmentTime).toISOString() }) };
    };
    const url64 = (bytes) => rt.Buffer.from(bytes).toString('base64url');
    /** A user as an import takes it. */
    const imported = (user) => {
      const request = check({ localId: user.uid ?? '', email: user.email, emailVerified: user.emailVerified, displayName: user.displayName, disabled: user.disabled, photoUrl: user.photoURL, phoneNumber: user.phoneNumber, tenantId: user.tenantId, customAttributes: user.customClaims && JSON.stringify(user.customClaims) });
      for (const [from, to, key] of [['passwordHash', 'passwordHash', 'INVALID_PASSWORD_HASH'], ['passwordSalt', 'salt', 'INVALID_PASSWORD_SALT']]) {
        if (user[from] === undefined) continue;
        if (!(user[from] instanceof Uint8Array)) throw fail(key);
        request[to] = url64(user[from]);
      }
      if (user.metadata?.creationTime) request.createdAt = new Date(user.metadata.creationTime).getTime();
      if (user.metadata?.lastSignInTime) request.lastLoginAt = new Date(user.metadata.lastSignInTime).getTime();
      if (user.providerData?.length) request.providerUserInfo = user.providerData.map((one) => ({ providerId: one.providerId, rawId: one.uid, email: one.email, displayName: one.displayName, photoUrl: one.photoURL }));
      if (user.multiFactor?.enrolledFactors?.length) request.mfaInfo = user.multiFactor.enrolledFactors.map(factor);
      return request;
    };
    /** How the passwords of an import are hashed. */
    const hashing = (options) => {
      if (!is.object(options)) throw fail('INVALID_ARGUMENT', '"UserImportOptions" are required when importing users with passwords.');
      if (!is.object(options.hash)) throw fail('MISSING_HASH_ALGORITHM', '"hash.algorithm" is missing from the provided "UserImportOptions".');
      const { algorithm, key, rounds, memoryCost, saltSeparator, parallelization, blockSize, derivedKeyLength } = options.hash;
      if (!is.name(algorithm)) throw fail('INVALID_HASH_ALGORITHM', '"hash.algorithm" must be a string matching the list of supported algorithms.');
      const signed = () => {
        if (!(key instanceof Uint8Array)) throw fail('INVALID_HASH_KEY', `A ${algorithm === 'SCRYPT' ? '' : 'non-empty '}"hash.key" byte buffer must be provided for hash algorithm ${algorithm}.`);
        return url64(key);
      };
      const within = (least, most) => {
        const count = parseInt(rounds, 10);
        if (!(count >= least && count <= most)) throw fail('INVALID_HASH_ROUNDS', `A valid "hash.rounds" number between ${least} and ${most} must be provided for hash algorithm ${algorithm}.`);
        return count;
      };
      switch (algorithm) {
        case 'HMAC_SHA512': case 'HMAC_SHA256': case 'HMAC_SHA1': case 'HMAC_MD5': return { hashAlgorithm: algorithm, signerKey: signed() };
        case 'MD5': case 'SHA1': case 'SHA256': case 'SHA512': return { hashAlgorithm: algorithm, rounds: within(algorithm === 'MD5' ? 0 : 1, 8192) };
        case 'PBKDF_SHA1': case 'PBKDF2_SHA256': return { hashAlgorithm: algorithm, rounds: within(0, 120000) };
        case 'SCRYPT': return { hashAlgorithm: algorithm, signerKey: signed(), rounds: within(1, 8), memoryCost, saltSeparator: url64(saltSeparator ?? '') };
        case 'BCRYPT': return { hashAlgorithm: algorithm };
        case 'STANDARD_SCRYPT': return { hashAlgorithm: algorithm, cpuMemCost: memoryCost, parallelization, blockSize, dkLen: derivedKeyLength };
        default: throw fail('INVALID_HASH_ALGORITHM', `Unsupported hash algorithm provider "${algorithm}".`);
      }
    };
    return { FirebaseAuthError, AuthErrorCode, fail, refused, is, check, factor, imported, hashing, UserRecord, UserInfo, UserMetadata };
  });
  rt.define('firebase-admin/auth', () => {
    const { service, appOf, projectOf } = rt.require('firebase-admin-app');
    const { exchange } = rt.require('firebase-admin-call');
    const { FirebaseAuthError, AuthErrorCode, fail, refused, is, check, factor, imported, hashing, UserRecord, UserInfo, UserMetadata } = rt.require('firebase-admin-users');
    const { verify, custom } = rt.require('firebase-admin-tokens');
    const argument = (message) => fail('INVALID_ARGUMENT', message);

    class BaseAuth {
      constructor(app, tenantId) {
        Object.defineProperty(this, 'its', { value: { app, tenantId } });
      }
      async #ask(method, path, body, query = '') {
        const { app, tenantId } = this.its;
        const answer = await exchange(method, `https://identitytoolkit.googleapis.com/v1/projects/${projectOf(app)}${tenantId ? `/tenants/${tenantId}` : ''}${path}${query}`, body);
        if (answer.status >= 300 || !answer.json) throw refused(answer);
        return answer.json;
      }
      async #one(identifier) {
        const { users } = await this.#ask('POST', '/accounts:lookup', identifier);
        if (!users?.length) throw fail('USER_NOT_FOUND');
        return new UserRecord(users[0]);
      }
      async getUser(uid) {
        if (!is.uid(uid)) throw fail('INVALID_UID');
        return this.#one({ localId: [uid] });
      }
      async getUserByEmail(email) {
        if (!is.email(email)) throw fail('INVALID_EMAIL');
        return this.#one({ email: [email] });
      }
      async getUserByPhoneNumber(phoneNumber) {
        if (!is.phone(phoneNumber)) throw fail('INVALID_PHONE_NUMBER');
        return this.#one({ phoneNumber: [phoneNumber] });
      }
      getUserByProviderUid(providerId, uid) {
        if (providerId === 'phone') return this.getUserByPhoneNumber(uid);
        if (providerId === 'email') return this.getUserByEmail(uid);
        if (!is.name(providerId) || !is.name(uid)) throw fail('INVALID_PROVIDER_ID');
        return this.#one({ federatedUserId: [{ providerId, rawId: uid }] });
      }
      async getUsers(identifiers) {
        if (!Array.isArray(identifiers)) throw argument('`identifiers` parameter must be an array');
        if (identifiers.length > 100) throw fail('MAXIMUM_USER_COUNT_EXCEEDED', '`identifiers` parameter must have <= 100 entries.');
        const asked = {};
        const add = (name, value, test, key) => {
          if (!test) throw fail(key);
          (asked[name] ??= []).push(value);
        };
        for (const one of identifiers) {
          if (one.uid !== undefined) add('localId', one.uid, is.uid(one.uid), 'INVALID_UID');
          else if (one.email !== undefined) add('email', one.email, is.email(one.email), 'INVALID_EMAIL');
          else if (one.phoneNumber !== undefined) add('phoneNumber', one.phoneNumber, is.phone(one.phoneNumber), 'INVALID_PHONE_NUMBER');
          else if (one.providerId !== undefined && one.providerUid !== undefined) add('federatedUserId', { providerId: one.providerId, rawId: one.providerUid }, is.name(one.providerId) && is.name(one.providerUid), is.name(one.providerId) ? 'INVALID_PROVIDER_UID' : 'INVALID_PROVIDER_ID');
          else throw argument(`Unrecognized identifier: ${one}`);
        }
        const found = identifiers.length ? (await this.#ask('POST', '/accounts:lookup', asked)).users ?? [] : [];
        const users = found.map((raw) => new UserRecord(raw));
        const has = (one, user) => (one.uid !== undefined ? one.uid === user.uid : one.email !== undefined ? one.email === user.email : one.phoneNumber !== undefined ? one.phoneNumber === user.phoneNumber : user.providerData.find((data) => data.providerId === one.providerId)?.uid === one.providerUid);
        return { users, notFound: identifiers.filter((one) => !users.some((user) => has(one, user))) };
      }
      async listUsers(most = 1000, token) {
        if (token !== undefined && !is.name(token)) throw fail('INVALID_PAGE_SELECTION');
        if (typeof most !== 'number' || !(most > 0 && most <= 1000)) throw argument('Required "maxResults" must be a positive integer that does not exceed 1000.');
        const { users = [], nextPageToken } = await this.#ask('GET', '/accounts:batchGet', undefined, `?maxResults=${most}${token ? `&nextPageToken=${encodeURIComponent(token)}` : ''}`);
        return { users: users.map((raw) => new UserRecord(raw)), ...(nextPageToken === undefined ? {} : { pageToken: nextPageToken }) };
      }
      async createUser(properties) {
        if (!is.object(properties)) throw argument('Properties argument must be a non-null object.');
        const { photoURL, uid, multiFactor, displayName, email, emailVerified, phoneNumber, password, disabled, customAttributes, validSince, tenantId } = properties;
        if (customAttributes !== undefined) throw argument('"customAttributes" cannot be set when creating a new user.');
        if (validSince !== undefined) throw argument('"validSince" cannot be set when creating a new user.');
        if (tenantId !== undefined) throw argument('"tenantId" is an invalid "CreateRequest" property.');
        const mfaInfo = (multiFactor?.enrolledFactors ?? []).map((one) => {
          for (const name of ['enrollmentTime', 'uid']) if (name in one) throw argument(`"${name}" is not supported when adding second factors via "createUser()"`);
          return factor(one);
        });
        const { localId } = await this.#ask('POST', '/accounts', check({ photoUrl: photoURL, localId: uid, displayName, email, emailVerified, phoneNumber, password, disabled, ...(mfaInfo.length ? { mfaInfo } : {}) }));
        return this.getUser(localId);
      }
      async updateUser(uid, properties) {
        if (!is.uid(uid)) throw fail('INVALID_UID');
        if (!is.object(properties)) throw argument('Properties argument must be a non-null object.');
        let { displayName, photoURL, phoneNumber, email, emailVerified, password, disabled, multiFactor, providerToLink: link, providersToUnlink: unlink } = properties;
        if (link !== undefined) {
          for (const name of ['providerId', 'uid']) if (!is.name(link[name])) throw argument(`providerToLink.${name} of properties argument must be a non-empty string.`);
          if (link.providerId === 'email') {
            if (email !== undefined) throw argument("Both UpdateRequest.email and UpdateRequest.providerToLink.providerId='email' were set. To link to the email/password provider, only specify the UpdateRequest.email field.");
            [email, link] = [link.uid, undefined];
          } else if (link.providerId === 'phone') {
            if (phoneNumber !== undefined) throw argument("Both UpdateRequest.phoneNumber and UpdateRequest.providerToLink.providerId='phone' were set. To link to a phone provider, only specify the UpdateRequest.phoneNumber field.");
            [phoneNumber, link] = [link.uid, undefined];
          }
        }
        if (unlink !== undefined) {
          if (!Array.isArray(unlink) || !unlink.every(is.name)) throw argument('providersToUnlink of properties argument must be an array of strings.');
          if (phoneNumber === null && unlink.includes('phone')) throw argument("Both UpdateRequest.phoneNumber=null and UpdateRequest.providersToUnlink=['phone'] were set. To unlink from a phone provider, only specify the UpdateRequest.phoneNumber=null field.");
        }
        const cleared = [...(displayName === null ? ['DISPLAY_NAME'] : []), ...(photoURL === null ? ['PHOTO_URL'] : [])];
        const unlinked = [...(phoneNumber === null ? ['phone'] : []), ...(unlink ?? [])];
        const { enrolledFactors } = multiFactor ?? {};
        const request = {
          localId: uid, displayName: displayName ?? undefined, photoUrl: photoURL ?? undefined, phoneNumber: phoneNumber ?? undefined, email, emailVerified, password, disableUser: disabled,
          ...(cleared.length ? { deleteAttribute: cleared } : {}), ...(unlinked.length ? { deleteProvider: unlinked } : {}),
          ...(link ? { linkProviderUserInfo: { providerId: link.providerId, rawId: link.uid, email: link.email, displayName: link.displayName } } : {}),
          ...(enrolledFactors === null || Array.isArray(enrolledFactors) ? { mfa: enrolledFactors?.length ? { enrollments: enrolledFactors.map(factor) } : {} } : {}),
        };
        const { localId } = await this.#ask('POST', '/accounts:update', check(request));
        return this.getUser(localId);
      }
      async deleteUser(uid) {
        if (!is.uid(uid)) throw fail('INVALID_UID');
        await this.#ask('POST', '/accounts:delete', { localId: uid });
      }
      async deleteUsers(uids) {
        if (!Array.isArray(uids)) throw argument('`uids` parameter must be an array');
        if (uids.length > 1000) throw fail('MAXIMUM_USER_COUNT_EXCEEDED', '`uids` parameter must have <= 1000 entries.');
        if (!uids.every(is.uid)) throw fail('INVALID_UID');
        const { errors = [] } = uids.length ? await this.#ask('POST', '/accounts:batchDelete', { localIds: uids, force: true }) : {};
        return { failureCount: errors.length, successCount: uids.length - errors.length, errors: errors.map(({ index, message }) => ({ index, error: fail(message?.startsWith('NOT_DISABLED') ? 'USER_NOT_DISABLED' : 'INTERNAL_ERROR', message) })) };
      }
      async #set(uid, change) {
        if (!is.uid(uid)) throw fail('INVALID_UID');
        await this.#ask('POST', '/accounts:update', check({ localId: uid, ...change }));
      }
      async setCustomUserClaims(uid, claims) {
        if (!is.uid(uid)) throw fail('INVALID_UID');
        if (typeof claims !== 'object' || Array.isArray(claims)) throw argument('CustomUserClaims argument must be an object or null.');
        await this.#set(uid, { customAttributes: JSON.stringify(claims ?? {}) });
      }
      revokeRefreshTokens(uid) { return this.#set(uid, { validSince: Math.floor(Date.now() / 1000) }); }
      async importUsers(users, options) {
        const good = [];
        const errors = [];
        users.forEach((user, index) => {
          try {
            good.push({ index, request: imported(user) });
          } catch (error) {
            errors.push({ index, error });
          }
        });
        const how = good.some(({ request }) => request.passwordHash !== undefined) ? hashing(options) : {};
        if (users.length > 1000) throw fail('MAXIMUM_USER_COUNT_EXCEEDED', 'A maximum of 1000 users can be imported at once.');
        const answer = good.length ? await this.#ask('POST', '/accounts:batchCreate', { users: good.map(({ request }) => request), ...how }) : {};
        for (const { index, message } of answer.error ?? []) errors.push({ index: good[index].index, error: fail('INVALID_USER_IMPORT', message) });
        return { successCount: users.length - errors.length, failureCount: errors.length, errors: errors.sort((a, b) => a.index - b.index) };
      }
      async createSessionCookie(idToken, options) {
        const seconds = Math.floor(options?.expiresIn / 1000);
        if (!is.object(options) || typeof options.expiresIn !== 'number' || Number.isNaN(options.expiresIn)) throw fail('INVALID_DURATION');
        if (!is.name(idToken)) throw fail('INVALID_ID_TOKEN');
        if (!(seconds >= 300 && seconds <= 1209600)) throw fail('INVALID_DURATION');
        return (await this.#ask('POST', ':createSessionCookie', { idToken, validDuration: seconds })).sessionCookie;
      }
      createCustomToken(uid, claims) { return custom(uid, claims, this.its.tenantId); }
      verifyIdToken(token) { return this.#verified('id', token, 'ID_TOKEN_REVOKED'); }
      verifySessionCookie(cookie) { return this.#verified('session', cookie, 'SESSION_COOKIE_REVOKED'); }
      async #verified(kind, token, revoked) {
        const { app, tenantId } = this.its;
        const claims = verify(kind, token, projectOf(app));
        const user = await this.getUser(claims.sub);
        if (user.disabled) throw fail('USER_DISABLED');
        if (user.tokensValidAfterTime && claims.auth_time * 1000 < new Date(user.tokensValidAfterTime).getTime()) throw fail(revoked);
        if (tenantId !== undefined && claims.firebase?.tenant !== tenantId) throw fail('TENANT_ID_MISMATCH');
        return claims;
      }
      async #link(requestType, email, settings, more) {
        if (settings === undefined && requestType === 'EMAIL_SIGNIN') throw argument("`actionCodeSettings` is required when `requestType` === 'EMAIL_SIGNIN'");
        const request = { requestType, email, returnOobLink: true, ...more };
        if (settings !== undefined) {
          if (!is.object(settings)) throw argument('"ActionCodeSettings" must be a non-null object.');
          if (settings.url === undefined) throw fail('MISSING_CONTINUE_URI');
          if (!is.url(settings.url)) throw fail('INVALID_CONTINUE_URI');
          if (settings.handleCodeInApp !== undefined && !is.flag(settings.handleCodeInApp)) throw argument('"ActionCodeSettings.handleCodeInApp" must be a boolean.');
          const { url, handleCodeInApp, dynamicLinkDomain, linkDomain, iOS, android } = settings;
          Object.assign(request, { continueUrl: url, canHandleCodeInApp: handleCodeInApp ?? false, dynamicLinkDomain, linkDomain, iOSBundleId: iOS?.bundleId, ...(android ? { androidPackageName: android.packageName, androidMinimumVersion: android.minimumVersion, androidInstallApp: android.installApp ?? false } : {}) });
        }
        if (!is.email(email)) throw fail('INVALID_EMAIL');
        if (request.newEmail !== undefined && !is.email(request.newEmail)) throw fail('INVALID_NEW_EMAIL');
        return (await this.#ask('POST', '/accounts:sendOobCode', request)).oobLink;
      }
      generatePasswordResetLink(email, settings) { return this.#link('PASSWORD_RESET', email, settings); }
      generateEmailVerificationLink(email, settings) { return this.#link('VERIFY_EMAIL', email, settings); }
      generateSignInWithEmailLink(email, settings) { return this.#link('EMAIL_SIGNIN', email, settings); }
      generateVerifyAndChangeEmailLink(email, newEmail, settings) { return this.#link('VERIFY_AND_CHANGE_EMAIL', email, settings, { newEmail }); }
    }
    for (const name of ['listProviderConfigs', 'getProviderConfig', 'deleteProviderConfig', 'updateProviderConfig', 'createProviderConfig']) {
      Object.defineProperty(BaseAuth.prototype, name, { value() { throw rt.missing(name, 'firebase-admin/auth'); }, configurable: true, writable: true });
    }
    class TenantAwareAuth extends BaseAuth {
      get tenantId() { return this.its.tenantId; }
    }
    class Auth extends BaseAuth {
      #tenants = new Map();
      get app() { return this.its.app; }
      tenantManager() {
        const authForTenant = (id) => {
          if (!is.name(id)) throw fail('INVALID_TENANT_ID');
          if (!this.#tenants.has(id)) this.#tenants.set(id, new TenantAwareAuth(this.its.app, id));
          return this.#tenants.get(id);
        };
        const missing = (name) => () => { throw rt.missing(`tenantManager().${name}`, 'firebase-admin/auth'); };
        return { authForTenant, ...Object.fromEntries(['getTenant', 'listTenants', 'deleteTenant', 'createTenant', 'updateTenant'].map((name) => [name, missing(name)])) };
      }
      projectConfigManager() { throw rt.missing('projectConfigManager', 'firebase-admin/auth'); }
    }
    const getAuth = (app) => service(appOf(app), 'auth', (its) => new Auth(its));
    return { getAuth, Auth, BaseAuth, TenantAwareAuth, UserRecord, UserInfo, UserMetadata, FirebaseAuthError, AuthErrorCode };
  });
})(globalThis.__emu);
