package api

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// flag reads a boolean of the query as Docker does: anything but these words is true.
func (r *request) flag(key string) bool { return r.flagOr(key, false) }

// flagOr is flag with a value for a key that is absent.
func (r *request) flagOr(key string, absent bool) bool {
	q := r.URL.Query()
	if !q.Has(key) {
		return absent
	}
	switch strings.ToLower(strings.TrimSpace(q.Get(key))) {
	case "", "0", "no", "false", "none":
		return false
	}
	return true
}

func (r *request) get(key string) string { return r.URL.Query().Get(key) }

// number reads an integer of the query; absent is its value when it is not there.
func (r *request) number(key string, absent int) (int, error) {
	s := r.get(key)
	if s == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, invalidf("invalid value for %q: %q is not a number", key, s)
	}
	return n, nil
}

// size reads a terminal's height or width.
func (r *request) size(key string) (uint32, error) {
	n, err := strconv.ParseUint(r.get(key), 10, 32)
	if err != nil || n > math.MaxUint16 {
		return 0, invalidf("invalid resize %s %q", map[string]string{"h": "height", "w": "width"}[key], r.get(key))
	}
	return uint32(n), nil
}

// moment reads a time of the query: seconds since 1970, with up to nine decimals. Absent and 0 are the zero time.
func (r *request) moment(key string) (time.Time, error) {
	s := r.get(key)
	if s == "" || s == "0" {
		return time.Time{}, nil
	}
	whole, decimals, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	nanos := int64(0)
	if err == nil && decimals != "" {
		if len(decimals) > 9 {
			decimals = decimals[:9]
		}
		nanos, err = strconv.ParseInt(decimals+strings.Repeat("0", 9-len(decimals)), 10, 64)
	}
	if err != nil {
		return time.Time{}, invalidf("invalid value for %q: %q is not a time in seconds", key, s)
	}
	return time.Unix(seconds, nanos), nil
}

// filters reads the filters of the query, in the form of today ({"key":{"value":true}}) or of before 1.22 ({"key":["value"]}).
func (r *request) filters() (Filters, error) {
	s := r.get("filters")
	if s == "" {
		return nil, nil
	}
	f := Filters{}
	var sets map[string]map[string]bool
	if err := json.Unmarshal([]byte(s), &sets); err == nil {
		for key, values := range sets {
			f[key] = []string{}
			for value := range values {
				f[key] = append(f[key], value)
			}
		}
		return f, nil
	}
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return nil, invalidf("invalid filter: %v", err)
	}
	return f, nil
}

// platforms reads platforms of the query, each as JSON or as os/arch[/variant].
func (r *request) platforms(key string) ([]ocispec.Platform, error) {
	var all []ocispec.Platform
	for _, s := range r.URL.Query()[key] {
		if s == "" {
			continue
		}
		var p ocispec.Platform
		if strings.HasPrefix(s, "{") {
			if err := json.Unmarshal([]byte(s), &p); err != nil {
				return nil, invalidf("invalid platform %q: %v", s, err)
			}
		} else {
			parsed, err := platforms.Parse(s)
			if err != nil {
				return nil, invalidf("%v", err)
			}
			p = parsed
		}
		all = append(all, p)
	}
	return all, nil
}

// platform reads at most one platform.
func (r *request) platform(key string) (*ocispec.Platform, error) {
	all, err := r.platforms(key)
	switch {
	case err != nil || len(all) == 0:
		return nil, err
	case len(all) > 1:
		return nil, invalidf("only one platform may be given")
	}
	return &all[0], nil
}

// registryAuth reads the credentials for a registry. Unreadable ones are as good as none, as Docker has it for clients
// that send whatever they have.
func (r *request) registryAuth() *registry.AuthConfig {
	auth, err := authconfig.Decode(r.Header.Get(registry.AuthHeader))
	if err != nil {
		return &registry.AuthConfig{}
	}
	return auth
}

// maxBody bounds the size of a JSON body in bytes.
const maxBody = 8 << 20

// body decodes the JSON body into v. It must be there unless optional, and nothing may follow it.
func (r *request) body(v any, optional bool) error {
	if t := r.Header.Get("Content-Type"); t != "" && !isJSON(t) && r.ContentLength != 0 && !optional {
		return invalidf("unsupported Content-Type header (%s): must be 'application/json'", t)
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			if optional {
				return nil
			}
			return invalidf("invalid JSON: got EOF while reading request body")
		}
		return invalidf("invalid JSON: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalidf("unexpected content after JSON")
	}
	return nil
}

func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(t), "application/json")
}
