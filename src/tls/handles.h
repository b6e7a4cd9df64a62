#pragma once

// OpenSSL's objects, each freed by its owner.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/handle.h"

namespace chappe::tls {

using SslHandle = Handle<SSL, SSL_free>;
using SslContextHandle = Handle<SSL_CTX, SSL_CTX_free>;
using CertificateHandle = Handle<X509, X509_free>;
using CrlHandle = Handle<X509_CRL, X509_CRL_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using BioHandle = Handle<BIO, BIO_free_all>;

}  // namespace chappe::tls
