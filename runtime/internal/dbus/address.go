package dbus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Sockets reads a list of server addresses ("Server Addresses" of the specification), as environment
// variables hold it, and returns what of it Dial can be given, in order.
func Sockets(addresses string) ([]string, error) {
	var list []string
	for address := range strings.SplitSeq(addresses, ";") {
		transport, pairs, _ := strings.Cut(address, ":")
		if transport != "unix" {
			continue
		}
		for pair := range strings.SplitSeq(pairs, ",") {
			key, value, _ := strings.Cut(pair, "=")
			name, err := unescape(value)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", address, err)
			}
			switch key {
			case "path":
				list = append(list, name)
			case "abstract":
				list = append(list, "@"+name)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%q names no Unix socket", addresses)
	}
	return list, nil
}

// unescape replaces %XX.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		plain, rest, ok := strings.Cut(s, "%")
		b.WriteString(plain)
		if !ok {
			return b.String(), nil
		}
		if len(rest) < 2 {
			return "", errors.New("% without two digits")
		}
		n, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil {
			return "", errors.New("% without two digits")
		}
		b.WriteByte(byte(n))
		s = rest[2:]
	}
}
