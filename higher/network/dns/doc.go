// Package dns answers the DNS queries of one container, RFC 1035: names and addresses of containers it knows itself,
// everything else it forwards, over UDP or TCP as it was asked.
package dns
