/**
 * Stands in for `@peculiar/x509` and `@peculiar/asn1-android` in the Worker: WebAuthn's library checks with them the certificates of an
 * authenticator's maker, which no passkey here is asked for (attestation "none"). The real ones take 35 KiB gzip, and 10 ms of start-up.
 * What would be checked all the same is refused.
 */
function unavailable(): never {
  throw new Error("Certificates of authenticators are not asked for");
}

export const AuthorityKeyIdentifierExtension = unavailable;
export const CRLDistributionPointsExtension = unavailable;
export const SubjectKeyIdentifierExtension = unavailable;
export const X509Certificate = unavailable;
export const X509ChainBuilder = unavailable;
export const X509Crl = unavailable;
export const KeyDescription = unavailable;
export const id_ce_keyDescription = "";
