import type { Wording } from '../rotation/core/tokenRequest.ts';

/**
 * What providers say in their own words. The expressions are built from lists: a refusal counts only if it is about the thing itself, so
 * that "the client secret is wrong" and "the refresh token grant is not allowed" say nothing about the refresh token.
 */

const REFUSED_BEFORE = [
  'invalid',
  'bad',
  'expired',
  'revoked',
  'unknown',
  'incorrect',
  'wrong',
  'malformed',
  'illegal',
  'inactive',
  'stale',
  'unrecognized',
  'unrecognised',
  'rejected',
  'reused',
  'deleted',
  'corrupt',
  'corrupted',
  'unusable',
  'blacklisted',
  'not a valid',
  'no valid',
  'no such',
  'find',
  'mismatched',
];
const REFUSED_AFTER = [
  'invalid',
  'incorrect',
  'wrong',
  'bad',
  'expired',
  'revoked',
  'inactive',
  'unknown',
  'malformed',
  'illegal',
  'stale',
  'invalidated',
  'deleted',
  'removed',
  'disabled',
  'blocked',
  'blacklisted',
  'rejected',
  'denied',
  'refused',
  'unrecognized',
  'unrecognised',
  'mismatch',
  'unusable',
  'corrupt',
  'corrupted',
  'reuse',
  'reused',
  'replayed',
  'withdrawn',
  'issued to',
  'lifetime exceeded',
  'too old',
  'already used',
  'been used',
  'was used',
  'used before',
  'used already',
  'used more than once',
  'already consumed',
  'been consumed',
  'already exchanged',
  'already rotated',
  'been rotated',
  'already redeemed',
];
const NOT = [
  'not',
  'no longer',
  'never',
  'cannot be',
  'can not be',
  'could not be',
  'couldn t be',
  'can t be',
  'isn t',
  'wasn t',
  'doesn t',
  'hasn t',
  'not been',
  'not be',
];
const GOOD = [
  'valid',
  'a valid',
  'active',
  'found',
  'exist',
  'exists',
  'recognized',
  'recognised',
  'accepted',
  'usable',
  'known',
  'used',
  'issued',
  'belong',
  'match',
  'decoded',
  'decrypted',
  'verified',
  'validated',
  'current',
  'correct',
];
const FILLERS = [
  'value',
  'string',
  'id',
  'passed',
  'provided',
  'supplied',
  'submitted',
  'presented',
  'specified',
  'given',
  'sent',
  'used',
  'you provided',
  'you sent',
  'in the request',
];
const VERBS = [
  'is',
  'is either',
  'was',
  'has',
  'have',
  'are',
  'were',
  'do',
  'does',
  'did',
  'has been',
  'have been',
  'is already',
  'has already',
  'has already been',
  'had',
  'appears to be',
  'seems to be',
  'must have',
  'may be',
  'might be',
];
const DETERMINERS = [
  'the',
  'this',
  'that',
  'your',
  'supplied',
  'provided',
  'or missing',
  'or unknown',
  'or used',
  'user',
  'oauth',
  'jwt',
];

const oneOf = (words: readonly string[]) => `(${words.join('|')})`;

/** "invalid THING", "THING is wrong", "THING does not exist". @param things expressions without repetition */
function refused(things: readonly string[], rest = ''): RegExp[] {
  const thing = `${oneOf(things)}\\b${rest}`;
  const between = `( ${oneOf(FILLERS)})?( ${oneOf(VERBS)})?`;
  return [
    // "A not expired token" is valid; "not find" is the end of "did not find".
    new RegExp(`(?<!\\bnot (?!find)(yet )?)\\b${oneOf(REFUSED_BEFORE)} (${oneOf(DETERMINERS)} )?${thing}`),
    new RegExp(`\\b${thing}${between} (missing or )?${oneOf(REFUSED_AFTER)}\\b`),
    new RegExp(`\\b${thing}${between} ${oneOf(NOT)} ${oneOf(GOOD)}\\b`),
  ];
}

/** Neither a grant type nor a setting of the client. */
const NOT_THE_GRANT = '(?! grant| grants| flow| type| rotation| scope| support)';

/** The request is wrong: it has another form, or a parameter that the provider does not know. */
const NOT_THE_TOKEN =
  /\bcontent type\b|\btoken (is an? )?(unknown|unexpected|unsupported) (parameter|field)\b/;

export const refreshTokenRefused: Wording = {
  meaning: 'the refresh token is not valid',
  any: [
    ...refused(['refresh tokens?'], NOT_THE_GRANT),
    // Spring Security says this of a refresh token that it cannot read.
    /\b(cannot|could not|failed to|unable to) convert access token to json\b/,
    /\bold refresh token( was| has been| is)? used\b/,
    /\b(failed|unable) to (validate|verify|decode|decrypt|parse) (the |your )?refresh token\b/,
    /\btoken is not linked to (the |this )?client\b/,
    // Its uses are counted, which is not a rate.
    /\btokens? (has |have )?(reached|exceeded) (its |their |the )?(maximum |max |allowed )?(number of )?(usage|use|uses|reuse|lifetime)\b/,
    /\btokens? (usage|use|reuse) (limit|count) (has been |was |is )?(exceeded|reached)\b/,
  ],
  none: [NOT_THE_TOKEN],
};

/** The only token in the request is the refresh token, if its words name no other. */
export const tokenRefused: Wording = {
  meaning: 'the token or the session is not valid',
  any: [
    ...refused(['(?<!\\b(access|id|api|csrf|bearer|subject|auth) )tokens?', 'session'], NOT_THE_GRANT),
    /\bvalue passed for the token was invalid\b/,
    /\btoken used in the request (has been|was|is) (revoked|expired|invalid)\b/,
  ],
  none: [NOT_THE_TOKEN, /\b(client|assertion|jwt|csrf|access token|id token|device|captcha|url|endpoint)\b/],
};

const CLIENT = '(client|app|application|consumer|api client|oauth client)';
const CREDENTIALS =
  '(id|ids|identifier|key|secret|secrets|credentials|credential|authentication|assertion|assertion token|auth|id and secret|certificate)';

export const clientRefused: Wording = {
  meaning: "the client's credentials are wrong",
  any: [
    ...refused([
      `${CLIENT} ${CREDENTIALS}`,
      `${CLIENT} ${CREDENTIALS} (or|and|and or) (${CLIENT} )?${CREDENTIALS}`,
    ]),
    // "Invalid client" alone is the client, "invalid client IP address" is not.
    /\b(invalid|unknown|bad|incorrect|unrecognized|unrecognised|deleted|disabled) (oauth )?(client|consumer)( \||$| or | and )/,
    /\b(client|app|application|consumer) (was |is |has been )?(not found|unknown|not recognized|unrecognized|invalid|deleted|disabled)\b/,
    /\b(client|app|application|consumer) (cannot|can not|could not) be found\b/,
    /\b(client|app|application|consumer) (does not|doesn t) exist\b/,
    /\b(invalid|wrong|incorrect|unknown) (appid|appsecret)\b/,
    /\berror validating (the )?(client|application|app)\b/,
    /\b(missing|invalid|incorrect) (valid )?authorization header\b/,
    /\b(client|consumer) (secret|credentials|authentication|assertion) (was |is |were |are )?(not (provided|supplied|present|sent|set)|missing)\b/,
    /\b(client|consumer) (authentication|auth|assertion|credentials) (has |verification |validation )?failed\b/,
    /\b(could not|cannot|unable to|failed to) (authenticate|authorize|verify|validate) (the |your )?(client|consumer|credentials)\b/,
  ],
};

/** At a token endpoint, HTTP 401 is about the client (RFC 6749 section 5.2), unless the words say something else. */
export const accessDenied: Wording = {
  meaning: 'access is denied',
  any: [
    /\b(access denied|unauthorized|not authorized|unauthenticated|not authenticated|forbidden)\b/,
    /\b((invalid|bad|wrong|incorrect) credentials|authentication (failed|failure|error|required)|invalid authentication)\b/,
  ],
  none: [
    /\b(session|user|account|owner|consent|expired|revoked|rate|limit|grant|scope|ip|tenant|organization|subscription)\b/,
    // The header has the client's credentials.
    /\btoken\b(?! or (incorrect|invalid|missing) authorization header)/,
    /\bunauthorized client\b/,
  ],
};

export const interactionRequired: Wording = {
  meaning: 'the user must sign in',
  any: [
    /\b(mfa|multi factor|multifactor|two factor|2fa|second factor|step up|otp)( authentication| verification| challenge| enrollment| registration| setup)?( is)? (required|needed|necessary)\b/,
    /\b(reauth|reauthentication|re authentication|reauthorization|re authorization|sign in|signin|log in|login|interaction|consent|reconsent|user authentication|user interaction|user action|account selection|password change|password reset)( is)? (required|needed|necessary)\b/,
    /\b(user|owner|customer) (must|needs to|has to|should) (re)?( )?(authenticate|authorize|log in|login|sign in|consent|approve|accept|reauthenticate|reauthorize)\b/,
    /\b(unmet authentication requirements|insufficient user authentication)\b/,
  ],
};

export const accountDisabled: Wording = {
  meaning: 'the account cannot be used',
  any: [
    /\b(user|account|owner|member|employee)( account)?( is| was| has)?( been| currently| temporarily)? (disabled|deactivated|inactive|suspended|locked|blocked|banned|closed|deleted|removed|deprovisioned|not active|not found|locked out)\b/,
    /\b(disabled|deactivated|inactive|suspended|locked|blocked) (user|account|owner|member)\b/,
  ],
};

export const accessRevoked: Wording = {
  meaning: 'the account owner revoked the access',
  any: [
    /\b(user|owner|customer|merchant|member)( has)? (revoked|withdrawn|withdrew|removed|denied) (the |this |its |your )?(access|consent|authorization|authorisation|grant|permission|app|application)\b/,
    /\b(access|consent|authorization|authorisation|permission|grant)( for the app| of the user)?( has| was| is)?( been)? (revoked|withdrawn)\b/,
    /\b(revoked|expired) (access|consent|authorization|authorisation|grant)\b/,
    /\b(grant|authorization|authorisation|consent) (was )?not found\b/,
  ],
};

/** An address after the words IP address; its dots are spaces here. */
const IP = String.raw`( \d\d?\d? \d\d?\d? \d\d?\d? \d\d?\d?)`;

/** The provider does not accept requests from everywhere, or at any time. */
export const addressRefused: Wording = {
  meaning: 'the IP address or the time is not allowed',
  any: [
    new RegExp(
      `\\bip( address| addresses| range)?${IP}? (is |was |has been )?(restricted|blocked|denied|forbidden|disallowed)\\b`,
    ),
    new RegExp(
      `\\bip( address| addresses| range)?${IP}? (is |was )?not (allowed|authorized|permitted|trusted|whitelisted|allowlisted|in)\\b`,
    ),
    /\b(restricted|blocked|forbidden|disallowed|unauthorized|untrusted|invalid) (client )?ip\b/,
    /\b(invalid|restricted|outside|outside of|outside the) login hours\b/,
  ],
};

/** The token that the request would replace is still valid, so the provider did not replace it. */
export const tooEarly: Wording = {
  meaning: 'the access token is still valid',
  any: [
    /\b(token|session)( has| is| was| had)? (not|hasn t|isn t|wasn t)( yet)? expired\b/,
    /\b(access|previous|current|old|existing) token is (still|already) (valid|active|alive)\b/,
    /\b(unexpired|not expired|non expired) (access )?token\b/,
  ],
  // Any word beside the code that may refuse the refresh token. It may have been used up.
  none: [
    /(?<!^)\b(invalid|invalidated|revoked|used|reuse|reused|replay|replayed|consumed|rotated|mismatch|wrong|unknown|but|or|nor)\b/,
    /\b(assertion|jwt|client secret|account|user)\b/,
  ],
};

/** Words for an end: whatever passes beside it, the token does not work again. */
const ENDS =
  /(?<!\b(not|not yet|not been|hasn t|isn t|wasn t) )\b(expired|revoked|invalidated|reuse|reused|replay|replayed|consumed|rotated|already used|been used)\b/;

/** What is counted. The uses of a token are not requests. */
const COUNTED =
  '(rate|requests?|calls?|(?<!\\btokens? )usage|api|quer(y|ies)|qps|tps|quota|invocations?|apiinvocations?|hourly|daily)';

/** The provider counts requests, and did not process this one. */
export const tooManyRequests: Wording = {
  meaning: 'there were too many requests',
  any: [
    new RegExp(`\\b${COUNTED} ?limit`),
    new RegExp(
      `\\b${COUNTED} ((count|volume|quota|rate) )?(was |is |has been |have been )?(exceeded|exhausted|reached)\\b`,
    ),
    /\b(exceeded|over|out of|reached|reach max|max) (the |your |its )?((daily|hourly|call|call volume|api|api daily|query|request) )?(quota|qps|tps)\b/,
    /\bover (the |your |its )?(rate |query |quota |usage |call |request )?limit\b/,
    /\brate ?limited\b/,
    /\bcall limited\b/,
    /\btoo many (requests|calls|attempts|token requests)\b/,
    /\b(maximum )?number of (api )?(requests|calls) (was |is |has been )?(exceeded|reached)\b/,
    /\bthrottl/,
    /\btoo many (token )?refresh (attempts|requests|calls)\b/,
    /\btoo early\b/,
    // RFC 8628 section 3.5
    /\bslow down\b/,
  ],
  // What was counted before the token or the account ended.
  none: [
    ENDS,
    ...refreshTokenRefused.any,
    ...accountDisabled.any,
    /\b(session|device|token|refresh token) (usage |use )?(limit|quota)\b/,
  ],
};

/** Words for what passes: the provider may process the same request later. */
const PASSES = [
  /\bservice (is )?(temporarily |currently )?(unavailable|not available)\b/,
  /\b(temporarily|currently) (unavailable|not available)\b/,
  /\b(temporary|transient) (failure|error|problem)\b/,
  /\b(request|gateway|connection|upstream|operation) (timeout|timed out|time out)\b/,
  /\b(try|retry)( (your|the|this) request)?( again)? (later|shortly|in a few|in a moment|in a minute|in \d|after)\b/,
  /\b(is|already|still|currently) being processed\b/,
  /\b(in progress|concurrent(?! (session|login|user|device))|maintenance|overloaded)\b/,
  /\b(system|server|service|provider)( is)?( too)? busy\b/,
];

/** The same beside `invalid_grant`, if no other words refuse the refresh token. */
export const passing: Wording = {
  meaning: 'the refusal passes',
  any: PASSES,
  none: [ENDS, ...refreshTokenRefused.any, ...tokenRefused.any, ...accountDisabled.any, ...accessRevoked.any],
};

/** The provider may have done a part of its work, so this counts as a failure and not as a refusal. */
export const providerFailed: Wording = {
  meaning: 'the provider failed',
  any: [
    /\b(internal|fatal|server|system|unexpected|unknown|unspecified|unhandled|database|backend|general|gateway) ?(server |service |application )?(error|exception|failure|fault)\b/,
    /^(timeout|timed out)\b/,
    /\bsomething went wrong\b/,
    ...PASSES,
  ],
};

/** The provider asks for the same request again, and not for another one. */
export const askedAgain: Wording = {
  meaning: 'the same request may be sent again',
  any: [/\b(try|retry)( (your|the|this) request)? again\b/, /\bplease (retry|resend)\b/],
  none: [
    /\b(check|correct|modify|change|fix|verify|review|ensure|make sure|update|provide|supply|specify|adjust|add|remove|set)\b/,
    /(?<!^)\b(missing|duplicate|invalid|incorrect|wrong|malformed|unsupported|unauthorized|forbidden|denied|required)\b/,
  ],
};
