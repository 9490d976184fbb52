#!/usr/bin/env bash
# certs.sh DIR: the certificates of the tests' servers, made with openssl, unless DIR has fresh ones.
#
# ca.pem is to be trusted; other_ca.pem signed nothing but `unknown`. NAME.pem and NAME.key, for NAME good, expired,
# wrong_host, unknown and notyet, are for localhost, 127.0.0.1, ::1, good.test and echo.test (wrong_host: for
# other.test). Two runs at a time do not disturb each other: one waits for the other.
set -euo pipefail
umask 077
export LC_ALL=C

[ $# -eq 1 ] || { echo "usage: certs.sh DIR" >&2; exit 2; }
mkdir -p "$(dirname "$1")"
dir=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
day=86400
now=$(date +%s)

# The first day of `notyet` must not come while the files are in use.
fresh() {
  local made
  made=$(cat "$dir/made" 2>/dev/null) && [ "$made" -le "$now" ] && [ $((now - made)) -lt $((day / 2)) ]
}

# openssl ca takes times that lie in the past, which openssl x509 before 3.4 does not.
at() { # at SECONDS: that many from now
  date -u -d "@$((now + $1))" +%Y%m%d%H%M%SZ 2>/dev/null || date -u -r "$((now + $1))" +%Y%m%d%H%M%SZ
}

write_config() {
  cat >"$home/ca.cnf" <<END
[ca]
default_ca = tests
[tests]
database = $home/index.txt
new_certs_dir = $home
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = \${ENV::NAME}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = \${ENV::SAN}
END
  : >"$home/index.txt"
}

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

make_ca() { # make_ca FILE NAME
  new_key "$home/$1.key"
  NAME=$2 SAN=DNS:unused openssl req -x509 -new -config "$home/ca.cnf" -extensions authority \
    -key "$home/$1.key" -days 30 -sha256 -out "$home/$1.pem"
}

make_server() { # make_server FILE CA FROM TO SAN
  export NAME=$1 SAN=$5
  new_key "$home/$1.key"
  openssl req -new -config "$home/ca.cnf" -key "$home/$1.key" -out "$home/$1.csr"
  openssl ca -batch -notext -config "$home/ca.cnf" -extensions server -cert "$home/$2.pem" -keyfile "$home/$2.key" \
    -startdate "$(at "$3")" -enddate "$(at "$4")" -in "$home/$1.csr" -out "$home/$1.pem"
}

make_all() {
  local names=DNS:localhost,IP:127.0.0.1,IP:::1,DNS:good.test,DNS:echo.test
  write_config
  make_ca ca "tests"
  make_ca other_ca "tests, another one"
  make_server good ca -3600 $((20 * day)) "$names"
  make_server expired ca $((-20 * day)) $((-day)) "$names"
  make_server wrong_host ca -3600 $((20 * day)) DNS:other.test
  make_server unknown other_ca -3600 $((20 * day)) "$names"
  make_server notyet ca "$day" $((20 * day)) "$names"
}

# Nobody needs the authorities' keys any more.
tidy() { (cd "$home" && rm -f ./*.csr ./ca.cnf ./index.txt* ca.key other_ca.key [0-9A-F][0-9A-F]*.pem); }

if command -v flock >/dev/null; then
  exec 9>"$dir.lock"
  flock 9
fi
fresh && exit 0
home=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$home"' EXIT
if ! make_all >"$home/log" 2>&1; then
  cat "$home/log" >&2
  echo "error: no certificates were made" >&2
  exit 1
fi
rm "$home/log"
tidy
echo "$now" >"$home/made"
[ ! -f "$dir/made" ] || rm -rf "$dir"
[ ! -e "$dir" ] || rmdir "$dir" # nothing but certificates is ever removed
mv "$home" "$dir"
