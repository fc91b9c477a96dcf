#include "net/tls_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#define NAME_FMT "%.100s"

struct reason {
	int code;
	const char *words;
};

static const char *find(const struct reason *rows, size_t n, int code)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].code == code) {
			return rows[i].words;
		}
	}
	return NULL;
}

#define NOT_TRUSTED "is signed by an authority that is not trusted here"
#define TOO_WEAK "uses a key or digest that is too weak"

static const struct reason verify_reasons[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, "has expired"},
	{X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet"},
	{X509_V_ERR_CERT_REVOKED, "has been revoked"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "is for another name"},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "is for another address"},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is signed by itself, not by a trusted authority"},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, NOT_TRUSTED},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, NOT_TRUSTED},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NOT_TRUSTED},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, NOT_TRUSTED},
	{X509_V_ERR_EE_KEY_TOO_SMALL, TOO_WEAK},
	{X509_V_ERR_CA_KEY_TOO_SMALL, TOO_WEAK},
	{X509_V_ERR_CA_MD_TOO_WEAK, TOO_WEAK},
	{X509_V_ERR_INVALID_PURPOSE, "was not issued for servers"},
};

enum err tls_fault_verify(struct fault *fault, const char *name, int verify, int depth)
{
	const char *whose = depth > 0 ? "an authority's certificate above" : "the certificate of";
	const char *words = find(verify_reasons, ARRAY_LEN(verify_reasons), verify);

	if (words != NULL) {
		return fault_set(fault, ERR_TLS, 0, 0, "%s " NAME_FMT " %s", whose, name, words);
	}
	return fault_set(fault, ERR_TLS, 0, 0, "%s " NAME_FMT " cannot be verified (%.40s)", whose,
		name, X509_verify_cert_error_string(verify));
}

#define NO_VERSION "offers no version of TLS that is accepted here (1.2 or newer)"
#define NO_TLS "does not answer with TLS on this port"
#define ALERT(code) (SSL_AD_REASON_OFFSET + (code))

static const struct reason protocol_reasons[] = {
	{SSL_R_WRONG_VERSION_NUMBER, NO_TLS},
	{SSL_R_HTTP_REQUEST, NO_TLS},
	{SSL_R_PACKET_LENGTH_TOO_LONG, NO_TLS},
	{SSL_R_UNSUPPORTED_PROTOCOL, NO_VERSION},
	{ALERT(SSL_AD_PROTOCOL_VERSION), NO_VERSION},
	{ALERT(SSL_AD_UNRECOGNIZED_NAME), "does not serve that name"},
	{ALERT(SSL_AD_CERTIFICATE_REQUIRED), "wants a client certificate"},
	{ALERT(SSL_AD_HANDSHAKE_FAILURE),
		"found no common settings for TLS and refused the handshake"},
};

enum err tls_fault_protocol(struct fault *fault, const char *name, unsigned long error)
{
	int code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	const char *words = find(protocol_reasons, ARRAY_LEN(protocol_reasons), code);

	if (words != NULL) {
		return fault_set(fault, ERR_TLS, 0, 0, NAME_FMT " %s", name, words);
	}
	if (code > ALERT(0)) {
		return fault_set(fault, ERR_TLS, 0, 0,
			NAME_FMT " refused the TLS handshake (alert %d)", name, code - ALERT(0));
	}
	return fault_set(fault, ERR_TLS, 0, 0, "the TLS handshake with " NAME_FMT " failed", name);
}

static const struct reason client_reasons[] = {
	{SSL_R_UNSUPPORTED_PROTOCOL, NO_VERSION},
	{SSL_R_VERSION_TOO_LOW, NO_VERSION},
	{SSL_R_NO_SHARED_CIPHER, "has no cipher in common with us"},
	{SSL_R_NO_SUITABLE_GROUPS, "has no key exchange in common with us"},
	{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "takes no signature that our key can give"},
	{SSL_R_NO_APPLICATION_PROTOCOL, "speaks no protocol that is served here (HTTP/1.1)"},
	{ALERT(SSL_AD_UNKNOWN_CA), "does not trust the authority of our certificate"},
	{ALERT(SSL_AD_BAD_CERTIFICATE), "does not accept our certificate"},
	{ALERT(SSL_AD_CERTIFICATE_UNKNOWN), "does not accept our certificate"},
	{ALERT(SSL_AD_CERTIFICATE_EXPIRED), "says that our certificate has expired"},
};

enum err tls_fault_client(struct fault *fault, unsigned long error)
{
	int code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	const char *words = find(client_reasons, ARRAY_LEN(client_reasons), code);
	const char *library = ERR_reason_error_string(error);

	if (words != NULL) {
		return fault_set(fault, ERR_TLS, 0, 0, "the client %s", words);
	}
	return fault_set(fault, ERR_TLS, 0, 0, "the client's TLS handshake failed (%.80s)",
		library != NULL ? library : "no reason given");
}
