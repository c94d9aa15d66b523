package volume

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/volume"
)

// VolumeList lists volumes by the filters dangling, driver, label and name.
func (m *Manager) VolumeList(_ context.Context, f api.Filters) (volume.ListResponse, error) {
	match, err := filter(f, "dangling", "driver", "label", "name")
	if err != nil {
		return volume.ListResponse{}, err
	}
	answer := volume.ListResponse{Volumes: []volume.Volume{}}
	for _, e := range m.matching(match) {
		answer.Volumes = append(answer.Volumes, m.view(e))
	}
	return answer, nil
}

// matching are the volumes that match, by name.
func (m *Manager) matching(match func(*entry) bool) []*entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*entry
	for _, name := range slices.Sorted(maps.Keys(m.volumes)) {
		if e := m.volumes[name]; !e.gone && match(e) {
			all = append(all, e)
		}
	}
	return all
}

// VolumeInspect shows a volume.
func (m *Manager) VolumeInspect(_ context.Context, name string) (*volume.Volume, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(name)
	if err != nil {
		return nil, err
	}
	v := m.view(e)
	return &v, nil
}

// filter makes a test of filters.
func filter(f api.Filters, known ...string) (func(*entry) bool, error) {
	for key := range f {
		if !slices.Contains(known, key) {
			return nil, invalidf("invalid filter '%s'", key)
		}
	}
	var dangling *bool
	if values, ok := f["dangling"]; ok {
		value, err := truth("dangling", values)
		if err != nil {
			return nil, err
		}
		dangling = &value
	}
	return func(e *entry) bool {
		return (dangling == nil || *dangling == (len(e.users) == 0)) &&
			(len(f["driver"]) == 0 || slices.Contains(f["driver"], driver)) &&
			(len(f["name"]) == 0 || slices.ContainsFunc(f["name"], e.named)) &&
			e.labelled(f["label"]) &&
			(len(f["label!"]) == 0 || !e.labelled(f["label!"]))
	}, nil
}

// truth reads a filter that is true or false.
func truth(key string, values []string) (bool, error) {
	yes := slices.Contains(values, "1") || slices.Contains(values, "true")
	no := slices.Contains(values, "0") || slices.Contains(values, "false")
	if yes == no {
		return false, invalidf("invalid filter '%s=[%s]'", key, strings.Join(values, " "))
	}
	return yes, nil
}

// named says whether the name is, or has a part that matches, a pattern.
func (e *entry) named(pattern string) bool {
	if e.Name == pattern {
		return true
	}
	r, err := regexp.Compile(pattern)
	return err == nil && r.MatchString(e.Name)
}

// labelled says whether a volume has all of some labels, KEY or KEY=VALUE.
func (e *entry) labelled(all []string) bool {
	return !slices.ContainsFunc(all, func(want string) bool {
		key, value, pair := strings.Cut(want, "=")
		have, ok := e.Labels[key]
		return !ok || pair && have != value
	})
}

// pruneAll reads the filter all of prune.
func pruneAll(values []string) (bool, error) {
	switch {
	case len(values) == 0:
		return false, nil
	case len(values) > 1:
		return false, invalidf("invalid filter 'all=%s': only one value is expected", values)
	}
	all, err := strconv.ParseBool(values[0])
	if err != nil {
		return false, invalidf("invalid filter 'all': %v", err)
	}
	return all, nil
}
