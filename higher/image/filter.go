package image

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
)

// candidate is a record that a filter looks at.
type candidate struct {
	record images.Image
	group  []images.Image // all of the image
	best   *manifest      // nil when there is none
}

func (c *candidate) labels() map[string]string {
	if c.best == nil {
		return nil
	}
	return c.best.image.Config.Labels
}

// created is when the image was made, or recorded when it does not tell.
func (c *candidate) created() time.Time {
	if c.best != nil && c.best.image.Created != nil {
		return *c.best.image.Created
	}
	return c.record.CreatedAt
}

// filter says whether a record is to be listed.
type filter func(*candidate) bool

func passAll(*candidate) bool { return true }

// filter makes one filter of those that a client wants; others than the accepted ones are an error.
func (m *Manager) filter(ctx context.Context, f api.Filters, accepted ...string) (filter, error) {
	var all []filter
	for key, values := range f {
		if !slices.Contains(accepted, key) {
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter '%s'", key)
		}
		one, err := m.filterBy(ctx, key, values)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(c *candidate) bool {
		for _, one := range all {
			if !one(c) {
				return false
			}
		}
		return true
	}, nil
}

func (m *Manager) filterBy(ctx context.Context, key string, values []string) (filter, error) {
	switch key {
	case "dangling":
		want, err := boolean(key, values)
		return func(c *candidate) bool { return isDangling(c.record.Name) == want }, err
	case "label":
		return func(c *candidate) bool { return matchLabels(c.labels(), values) }, nil
	case "label!":
		return func(c *candidate) bool {
			return !slices.ContainsFunc(values, func(v string) bool { return matchLabels(c.labels(), []string{v}) })
		}, nil
	case "reference":
		return matchReference(values)
	case "until":
		return until(values, time.Now())
	default: // before, since
		return m.beside(ctx, key, values)
	}
}

// boolean reads a filter that has one value, true or false.
func boolean(key string, values []string) (bool, error) {
	if len(values) == 1 {
		switch values[0] {
		case "1", "true":
			return true, nil
		case "0", "false":
			return false, nil
		}
	}
	return false, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter '%s=[%s]'", key, strings.Join(values, " "))
}

// matchLabels says whether all of the wanted labels, KEY or KEY=VALUE, are there.
func matchLabels(labels map[string]string, wanted []string) bool {
	for _, w := range wanted {
		key, value, exact := strings.Cut(w, "=")
		got, ok := labels[key]
		if !ok || exact && got != value {
			return false
		}
	}
	return true
}

// matchReference lets names through that match a pattern of path.Match, with or without tag.
func matchReference(patterns []string) (filter, error) {
	for _, p := range patterns {
		if named, err := parseRef("x"); err == nil {
			if _, err := reference.FamiliarMatch(p, named); err != nil {
				return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter 'reference=%s': %v", p, err)
			}
		}
	}
	return func(c *candidate) bool {
		named, err := reference.ParseNormalizedNamed(c.record.Name)
		if isDangling(c.record.Name) || err != nil {
			return false
		}
		for _, p := range patterns {
			if ok, _ := reference.FamiliarMatch(p, named); ok {
				return true
			}
			if ok, _ := reference.FamiliarMatch(p, reference.TrimNamed(named)); ok {
				return true
			}
		}
		return false
	}, nil
}

// until lets images through that have been here since before a time: a duration that has passed since, or a time.
func until(values []string, now time.Time) (filter, error) {
	if len(values) != 1 {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "only one until filter can be specified")
	}
	t, err := parseTime(values[0], now)
	if err != nil {
		return nil, err
	}
	return func(c *candidate) bool { return c.record.CreatedAt.Before(t) }, nil
}

// parseTime reads a time as Docker's filters have it: a duration before now, seconds since 1970, or a date.
func parseTime(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMilli(int64(seconds * 1000)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter 'until=%s': it is neither a duration nor a time", s)
}

// beside lets images through that were made before, or since, another one.
func (m *Manager) beside(ctx context.Context, key string, values []string) (filter, error) {
	var times []time.Time
	for _, name := range values {
		f, err := m.find(ctx, name)
		if err != nil {
			return nil, err
		}
		list, err := m.manifests(ctx, f.any().Target)
		if err != nil {
			return nil, err
		}
		times = append(times, (&candidate{record: f.any(), best: bestOf(list, nil)}).created())
	}
	return func(c *candidate) bool {
		for _, t := range times {
			if key == "before" && !c.created().Before(t) || key == "since" && !c.created().After(t) {
				return false
			}
		}
		return true
	}, nil
}
