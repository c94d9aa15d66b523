package container

import (
	"strconv"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/api"
)

func formatUint(n uint64) string { return strconv.FormatUint(n, 10) }

// pruneFilter says which containers a prune is about: until=, label= and label!=.
func pruneFilter(f api.Filters, now time.Time) (match, error) {
	var until time.Time
	for key, values := range f {
		switch key {
		case "label", "label!":
		case "until":
			if len(values) > 1 {
				return nil, invalidf("more than one until filter specified")
			}
			for _, v := range values {
				var err error
				if until, err = parseMoment(v, now); err != nil {
					return nil, invalidf("%v", err)
				}
			}
		default:
			return nil, invalidf("invalid filter '%s'", key)
		}
	}
	return func(r *Record) bool {
		return (until.IsZero() || r.Created.Before(until)) && hasAll(r.Config.Labels, f["label"]) &&
			(len(f["label!"]) == 0 || !hasAll(r.Config.Labels, f["label!"]))
	}, nil
}

// parseMoment reads a time as clients write it: a duration before now, seconds since 1970, or a date.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	if seconds, fraction, _ := strings.Cut(s, "."); seconds != "" {
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
			nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
			return time.Unix(n, nanos), err
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, invalidf("failed to parse value as time or duration: %q", s)
}
