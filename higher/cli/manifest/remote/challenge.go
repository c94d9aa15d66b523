package remote

import (
	"net/http"
	"strings"
)

// challenge is one way to authenticate that a registry offers (RFC 9110, section 11.6.1).
type challenge struct {
	scheme     string // in small letters
	parameters map[string]string
}

// challengesOf reads the headers WWW-Authenticate, one challenge in each.
func challengesOf(h http.Header) (all []challenge) {
	for _, line := range h.Values("WWW-Authenticate") {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, challenge{strings.ToLower(scheme), parameters(rest)})
	}
	return all
}

// parameters reads key="value", key=value, …; what is none ends it.
func parameters(s string) map[string]string {
	m := map[string]string{}
	for {
		key, rest, ok := strings.Cut(strings.TrimLeft(s, " \t,"), "=")
		if !ok {
			return m
		}
		value, after := parameter(rest)
		m[strings.ToLower(strings.TrimSpace(key))] = value
		s = after
	}
}

func parameter(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(value), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
