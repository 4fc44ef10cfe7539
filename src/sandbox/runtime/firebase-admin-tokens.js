// Tokens of users: read and weighed, and made. As with every emulator of Auth, a token is believed without a signature: inside, Auth signs none.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-tokens');
  rt.define('firebase-admin-tokens', () => {
    const { fail } = rt.require('firebase-admin-users');
    const kinds = {
      id: { issuer: 'https://securetoken.google.com/', method: 'verifyIdToken()', name: 'Firebase ID token', short: 'an ID token', url: 'https://firebase.google.com/docs/auth/admin/verify-id-tokens', expired: ['TOKEN_EXPIRED', 'id-token-expired'] },
      session: { issuer: 'https://session.firebase.google.com/', method: 'verifySessionCookie()', name: 'Firebase session cookie', short: 'a session cookie', url: 'https://firebase.google.com/docs/auth/admin/manage-cookies', expired: ['SESSION_COOKIE_EXPIRED', 'session-cookie-expired'] },
    };
    const part = (text) => JSON.parse(rt.Buffer.from(text, 'base64url').toString('utf8'));
    /** The claims of a token that is of this project and still good. */
    const verify = (kind, token, project) => {
      const { issuer, method, name, short, url, expired } = kinds[kind];
      const plain = short.replace(/^an? /, '');
      const see = ` See ${url} for details on how to retrieve ${short}.`;
      const wrong = (message) => fail('INVALID_ARGUMENT', message);
      if (typeof token !== 'string') throw wrong(`First argument to ${method} must be a ${name} string.`);
      let claims;
      try {
        const parts = token.split('.');
        if (parts.length !== 3) throw new Error('three parts make a token');
        part(parts[0]);
        claims = part(parts[1]);
      } catch {
        throw wrong(`Decoding ${name} failed. Make sure you passed the entire string JWT which represents ${short}.${see}`);
      }
      const same = ` Make sure the ${plain} comes from the same Firebase project as the service account used to authenticate this SDK.`;
      if (claims.aud !== project) throw wrong(`${name} has incorrect "aud" (audience) claim. Expected "${project}" but got "${claims.aud}".${same}${see}`);
      if (claims.iss !== issuer + project) throw wrong(`${name} has incorrect "iss" (issuer) claim. Expected "${issuer}${project}" but got "${claims.iss}".${same}${see}`);
      if (typeof claims.sub !== 'string') throw wrong(`${name} has no "sub" (subject) claim.${see}`);
      if (claims.sub === '') throw wrong(`${name} has an empty "sub" (subject) claim.${see}`);
      if (claims.sub.length > 128) throw wrong(`${name} has a "sub" (subject) claim longer than 128 characters.${see}`);
      if (claims.exp !== undefined && claims.exp <= Math.floor(Date.now() / 1000)) throw fail(expired[0], `${name} has expired. Get a fresh ${plain} from your client app and try again (auth/${expired[1]}).${see}`);
      claims.uid = claims.sub;
      return claims;
    };
    const reserved = ['acr', 'amr', 'at_hash', 'aud', 'auth_time', 'azp', 'cnf', 'c_hash', 'exp', 'iat', 'iss', 'jti', 'nbf', 'nonce'];
    /** A token that a client signs in with. */
    const custom = (uid, claims, tenantId) => {
      const wrong = (message) => fail('INVALID_ARGUMENT', message);
      if (typeof uid !== 'string' || uid === '') throw wrong('`uid` argument must be a non-empty string uid.');
      if (uid.length > 128) throw wrong('`uid` argument must a uid with less than or equal to 128 characters.');
      if (claims !== undefined && (typeof claims !== 'object' || claims === null || Array.isArray(claims))) throw wrong('`developerClaims` argument must be a valid, non-null object containing the developer claims.');
      for (const name of Object.keys(claims ?? {})) if (reserved.includes(name)) throw wrong(`Developer claim "${name}" is reserved and cannot be specified.`);
      const iat = Math.floor(Date.now() / 1000);
      const account = 'firebase-auth-emulator@example.com';
      const body = { aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit', iat, exp: iat + 3600, iss: account, sub: account, uid, ...(tenantId ? { tenant_id: tenantId } : {}), ...(claims && Object.keys(claims).length ? { claims } : {}) };
      const write = (data) => rt.Buffer.from(JSON.stringify(data)).toString('base64url');
      return Promise.resolve(`${write({ alg: 'none', typ: 'JWT' })}.${write(body)}.`);
    };
    return { verify, custom };
  });
})(globalThis.__emu);
