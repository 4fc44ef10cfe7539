// Functions that are asked before a user is created or signs in: from the token that they are sent to what they see, and their answer.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-identity');
  rt.define('firebase-functions-identity', () => {
    const { logger } = rt.require('firebase-functions-core');
    const { HttpsError, asHttpsError, claimsOf } = rt.require('firebase-functions-https');
    const reserved = ['acr', 'amr', 'at_hash', 'aud', 'auth_time', 'azp', 'cnf', 'c_hash', 'exp', 'iat', 'iss', 'jti', 'nbf', 'nonce', 'firebase'];
    const CLAIMS_CHARS_MAX = 1000;
    const shown = (time) => (time ? new Date(time).toUTCString() : null);
    const userOf = (user) => {
      if (!user.uid) throw new HttpsError('internal', 'INTERNAL ASSERT FAILED: Invalid user response');
      const factors = (user.multi_factor?.enrolled_factors ?? []).map((factor) => ({ uid: factor.uid, factorId: factor.phone_number ? factor.factor_id || 'phone' : factor.factor_id, displayName: factor.display_name, enrollmentTime: shown(factor.enrollment_time), phoneNumber: factor.phone_number }));
      return {
        uid: user.uid, email: user.email, emailVerified: user.email_verified, displayName: user.display_name, photoURL: user.photo_url, phoneNumber: user.phone_number, disabled: user.disabled ?? false,
        metadata: { creationTime: shown(user.metadata?.creation_time), lastSignInTime: shown(user.metadata?.last_sign_in_time) },
        providerData: (user.provider_data ?? []).map((each) => ({ uid: each.uid, displayName: each.display_name, email: each.email, photoURL: each.photo_url, providerId: each.provider_id, phoneNumber: each.phone_number })),
        passwordHash: user.password_hash, passwordSalt: user.password_salt, customClaims: user.custom_claims, tenantId: user.tenant_id,
        tokensValidAfterTime: user.tokens_valid_after_time ? shown(user.tokens_valid_after_time * 1000) : null,
        multiFactor: factors.length ? { enrolledFactors: factors } : null,
      };
    };
    const profileOf = (token) => {
      try {
        return token.raw_user_info ? JSON.parse(token.raw_user_info) : undefined;
      } catch {
        return undefined;
      }
    };
    const contextOf = (token, project) => {
      const provider = token.sign_in_method === 'emailLink' ? 'password' : token.sign_in_method;
      const profile = profileOf(token);
      const hasCredential = token.sign_in_attributes || token.oauth_id_token || token.oauth_access_token || token.oauth_refresh_token;
      return {
        locale: token.locale, ipAddress: token.ip_address, userAgent: token.user_agent, eventId: token.event_id,
        eventType: `providers/cloud.auth/eventTypes/user.${token.event_type}${token.sign_in_method ? `:${token.sign_in_method}` : ''}`,
        authType: token.user_record ? 'USER' : 'UNAUTHENTICATED',
        resource: { service: 'identitytoolkit.googleapis.com', name: token.tenant_id ? `projects/${project}/tenants/${token.tenant_id}` : `projects/${project}` },
        timestamp: new Date(token.iat * 1000).toUTCString(),
        additionalUserInfo: { providerId: provider, profile, username: { 'github.com': profile?.login, 'twitter.com': profile?.screen_name }[token.sign_in_method], isNewUser: token.event_type === 'beforeCreate', recaptchaScore: token.recaptcha_score, email: token.email, phoneNumber: token.phone_number },
        credential: hasCredential ? { claims: token.sign_in_attributes, idToken: token.oauth_id_token, accessToken: token.oauth_access_token, refreshToken: token.oauth_refresh_token, expirationTime: token.oauth_expires_in ? new Date(Date.now() + token.oauth_expires_in * 1000).toUTCString() : undefined, secret: token.oauth_token_secret, providerId: provider, signInMethod: token.sign_in_method } : null,
        emailType: token.email_type, smsType: token.sms_type, params: {},
      };
    };
    const checkClaims = (name, claims) => {
      if (!claims) return;
      const wrong = reserved.filter((each) => Object.hasOwn(claims, each));
      if (wrong.length) throw new HttpsError('invalid-argument', `The ${name} claims "${wrong.join(',')}" are reserved and cannot be specified.`);
      if (JSON.stringify(claims).length > CLAIMS_CHARS_MAX) throw new HttpsError('invalid-argument', `The ${name} payload should not exceed ${CLAIMS_CHARS_MAX} characters.`);
    };
    /** A blocking function over HTTP. */
    const blocking = (kind, handler, generation) => async (req, res) => {
      res.setHeader('Content-Type', 'application/json');
      try {
        const jwt = req.body?.data?.jwt;
        if (req.method !== 'POST' || !(req.headers['content-type'] ?? '').includes('application/json') || !jwt) {
          logger.error('Invalid request, unable to process');
          throw new HttpsError('invalid-argument', 'Bad Request');
        }
        const token = claimsOf(jwt);
        if (!token) throw new HttpsError('invalid-argument', 'Bad Request');
        const context = contextOf(token, rt.process.env.GCLOUD_PROJECT);
        const user = kind === 'beforeCreate' || kind === 'beforeSignIn' ? userOf(token.user_record ?? {}) : undefined;
        const answer = (generation === 1 ? await (user ? handler(user, context) : handler(context)) : await handler({ ...context, data: user })) || {};
        checkClaims('customClaims', answer.customClaims);
        if (kind === 'beforeSignIn') {
          checkClaims('sessionClaims', answer.sessionClaims);
          if (answer.sessionClaims && JSON.stringify({ ...answer.customClaims, ...answer.sessionClaims }).length > CLAIMS_CHARS_MAX) throw new HttpsError('invalid-argument', `The customClaims and sessionClaims payloads should not exceed ${CLAIMS_CHARS_MAX} characters combined.`);
        }
        const { recaptchaActionOverride, ...record } = answer;
        const updateMask = Object.keys(record).filter((name) => record[name] !== undefined).join(',');
        res.status(200).send(JSON.stringify({ ...(updateMask ? { userRecord: { ...record, updateMask } } : {}), ...(recaptchaActionOverride === undefined ? {} : { recaptchaActionOverride }) }));
      } catch (thrown) {
        const error = asHttpsError(thrown, 'An unexpected error occurred.');
        res.status(error.httpErrorCode.status).send(JSON.stringify({ error: error.toJSON() }));
      }
    };
    return { blocking };
  });
})(globalThis.__emu);
