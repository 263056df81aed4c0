/** How the rotator names itself to services. In the audit log of a vault it is a part of `ClientInfo`. */
export const USER_AGENT = 'key-vault-token-rotator';
