package container

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/image"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// match says whether a container passes a filter.
type match func(*Record) bool

// filterOf makes, of the values of one filter, what says whether a container passes it.
var filterOf = map[string]func(m *Manager, values []string) (match, error){
	"ancestor":   (*Manager).filterAncestor,
	"annotation": keyed(func(r *Record) map[string]string { return r.HostConfig.Annotations }),
	"exited":     filterExited,
	"expose":     filterPorts("expose", false),
	"health":     filterHealth,
	"id":         filterID,
	"is-task":    filterTask,
	"isolation":  filterIsolation,
	"label":      keyed(func(r *Record) map[string]string { return r.Config.Labels }),
	"name":       filterName,
	"network":    filterNetwork,
	"publish":    filterPorts("publish", true),
	"status":     filterStatus,
	"volume":     filterVolume,
}

// filters makes one match of all filters but before and since, which are about the order.
func (m *Manager) filters(f api.Filters) (match, error) {
	var all []match
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if key == "before" || key == "since" {
			continue
		}
		of, ok := filterOf[key]
		if !ok {
			return nil, invalidf("invalid filter '%s'", key)
		}
		if len(f[key]) == 0 {
			continue
		}
		one, err := of(m, f[key])
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(r *Record) bool {
		return !slices.ContainsFunc(all, func(one match) bool { return !one(r) })
	}, nil
}

// anyOf passes what passes one of the values' tests.
func anyOf(values []string, test func(r *Record, value string) bool) match {
	return func(r *Record) bool {
		return slices.ContainsFunc(values, func(v string) bool { return test(r, v) })
	}
}

// keyed is a filter of KEY or KEY=VALUE, all of which have to be there.
func keyed(of func(*Record) map[string]string) func(*Manager, []string) (match, error) {
	return func(_ *Manager, values []string) (match, error) {
		return func(r *Record) bool { return hasAll(of(r), values) }, nil
	}
}

func hasAll(have map[string]string, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool {
		key, value, withValue := strings.Cut(w, "=")
		got, ok := have[key]
		return !ok || withValue && got != value
	})
}

func filterExited(_ *Manager, values []string) (match, error) {
	for _, v := range values {
		if _, err := strconv.Atoi(v); err != nil {
			return nil, invalidf("invalid filter 'exited=%s': %v", v, err)
		}
	}
	return anyOf(values, func(r *Record, v string) bool {
		return !r.Running() && !r.StartedAt.IsZero() && strconv.Itoa(r.ExitCode) == v
	}), nil
}

func filterStatus(_ *Manager, values []string) (match, error) {
	for _, v := range values {
		if err := types.ValidateContainerState(types.ContainerState(v)); err != nil {
			return nil, invalidf("invalid filter 'status=%s': %v", v, err)
		}
	}
	return anyOf(values, func(r *Record, v string) bool { return string(r.Phase) == v }), nil
}

func filterHealth(_ *Manager, values []string) (match, error) {
	for _, v := range values {
		if err := types.ValidateHealthStatus(types.HealthStatus(v)); err != nil {
			return nil, invalidf("invalid filter 'health=%s': %v", v, err)
		}
	}
	return anyOf(values, func(r *Record, v string) bool { return string(r.health()) == v }), nil
}

// filterID takes prefixes that are unambiguous.
func filterID(m *Manager, values []string) (match, error) {
	var ids []string
	for _, v := range values {
		if c, err := m.get(v); err == nil && strings.HasPrefix(c.id, v) {
			ids = append(ids, c.id)
		}
	}
	return func(r *Record) bool { return slices.Contains(ids, r.ID) }, nil
}

// filterName takes parts of names and regular expressions, with or without a slash in front of the name.
func filterName(_ *Manager, values []string) (match, error) {
	return anyOf(values, func(r *Record, v string) bool {
		if v == r.Name || v == "/"+r.Name {
			return true
		}
		re, err := regexp.Compile(v)
		return err == nil && (re.MatchString("/"+r.Name) || re.MatchString(r.Name))
	}), nil
}

func filterTask(_ *Manager, values []string) (match, error) {
	want, err := strconv.ParseBool(values[0])
	if err != nil || len(values) > 1 {
		return nil, invalidf("invalid filter 'is-task=[%s]'", strings.Join(values, " "))
	}
	return func(*Record) bool { return !want }, nil // tasks are swarms'
}

func filterIsolation(_ *Manager, values []string) (match, error) {
	return anyOf(values, func(r *Record, v string) bool {
		return string(r.HostConfig.Isolation) == v || v == "default" && r.HostConfig.Isolation == ""
	}), nil
}

func filterNetwork(_ *Manager, values []string) (match, error) {
	return anyOf(values, func(r *Record, v string) bool {
		for name, s := range r.networks() {
			if name == v || v != "" && strings.HasPrefix(s.NetworkID, v) {
				return true
			}
		}
		return false
	}), nil
}

func filterVolume(_ *Manager, values []string) (match, error) {
	return anyOf(values, func(r *Record, v string) bool {
		for _, m := range r.Mounts {
			if m.Destination == v || m.Name == v && v != "" || m.Name == "" && m.Source == v {
				return true
			}
		}
		return false
	}), nil
}

// filterPorts takes NUMBER[/PROTOCOL] and ranges.
func filterPorts(key string, public bool) func(*Manager, []string) (match, error) {
	return func(_ *Manager, values []string) (match, error) {
		want := map[string]bool{}
		for _, v := range values {
			if strings.Contains(v, ":") {
				return nil, invalidf("filter for '%s' should not contain ':': %s", key, v)
			}
			all, err := network.ParsePortRange(v)
			if err != nil {
				return nil, invalidf("error while looking up for %s %s: %v", key, v, err)
			}
			for p := range all.All() {
				want[p.String()] = true
			}
		}
		return func(r *Record) bool {
			return slices.ContainsFunc(r.ports(), func(p types.PortSummary) bool {
				number := p.PrivatePort
				if public {
					number = p.PublicPort
				}
				return want[fmt.Sprintf("%d/%s", number, p.Type)]
			})
		}, nil
	}
}

// filterAncestor takes images, and the containers of those that were made of them.
func (m *Manager) filterAncestor(values []string) (match, error) {
	ids, layers := map[string]bool{}, map[string]bool{}
	for _, v := range values {
		img, err := m.Images.Resolve(context.Background(), v, nil)
		if err != nil {
			continue
		}
		ids[img.ID.String()] = true
		layers[strings.Join(diffIDs(img), " ")] = true
	}
	descends := func(id string) (bool, error) {
		img, err := m.Images.Resolve(context.Background(), id, nil)
		if err != nil {
			return false, err
		}
		own := diffIDs(img)
		for n := range own {
			if layers[strings.Join(own[:n+1], " ")] {
				return true, nil
			}
		}
		return false, nil
	}
	known := map[string]bool{}
	return func(r *Record) bool {
		id := r.Image.String()
		if ids[id] {
			return true
		}
		if _, ok := known[id]; !ok {
			yes, err := descends(id)
			known[id] = yes && err == nil
		}
		return known[id]
	}, nil
}

func diffIDs(img *image.Image) []string {
	var all []string
	for _, d := range img.Config.RootFS.DiffIDs {
		all = append(all, d.String())
	}
	return all
}

// between are those of a list, newest first, that were made before one container and since another.
func (m *Manager) between(all []*Record, f api.Filters) ([]*Record, error) {
	at := func(name string) (int, error) {
		c, err := m.get(name)
		if err != nil {
			return 0, err
		}
		return slices.IndexFunc(all, func(r *Record) bool { return r.ID == c.id }), nil
	}
	from, to := 0, len(all)
	for _, name := range f["before"] {
		i, err := at(name)
		if err != nil {
			return nil, err
		}
		from = max(from, i+1)
	}
	for _, name := range f["since"] {
		i, err := at(name)
		if err != nil {
			return nil, err
		}
		to = min(to, max(i, 0))
	}
	return all[min(from, to):to], nil
}
