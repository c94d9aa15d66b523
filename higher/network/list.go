package network

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	types "github.com/moby/moby/api/types/network"
	"github.com/vishvananda/netlink"
)

func linkExists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}

// NetworkList lists networks by the filters dangling, driver, id, label, name, scope and type; those of one key are
// alternatives.
func (m *Manager) NetworkList(_ context.Context, f api.Filters) ([]types.Summary, error) {
	if err := checkFilters(f, "dangling", "driver", "id", "label", "name", "scope", "type"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []types.Summary{}
	for _, w := range m.networks {
		if w.matches(f) {
			all = append(all, types.Summary{Network: w.Network})
		}
	}
	slices.SortFunc(all, func(a, b types.Summary) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return all, nil
}

func checkFilters(f api.Filters, known ...string) error {
	bad := func(format string, a ...any) error {
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf(format, a...))
	}
	for key := range f {
		if !slices.Contains(known, key) {
			return bad("invalid filter '%s'", key)
		}
	}
	if v := f["dangling"]; len(v) > 1 {
		return bad(`got more than one value for filter key "dangling"`)
	} else if len(v) == 1 && !slices.Contains([]string{"0", "1", "true", "false"}, v[0]) {
		return bad(`invalid value for filter 'dangling': must be "true" (or "1"), or "false" (or "0")`)
	}
	for _, v := range f["type"] {
		if v != "builtin" && v != "custom" {
			return bad("invalid value for filter 'type': must be 'builtin' or 'custom'")
		}
	}
	if len(f["until"]) > 1 {
		return bad("more than one until filter specified")
	}
	return nil
}

func (w *entry) matches(f api.Filters) bool {
	any := func(key string, test func(string) bool) bool {
		return len(f[key]) == 0 || slices.ContainsFunc(f[key], test)
	}
	return any("driver", func(v string) bool { return w.Driver == v }) &&
		any("scope", func(v string) bool { return w.Scope == v }) &&
		any("name", func(v string) bool { return strings.Contains(w.Name, v) }) &&
		any("id", func(v string) bool { return strings.HasPrefix(w.ID, v) }) &&
		any("type", func(v string) bool { return (v == "builtin") == predefined(w.Name) }) &&
		any("dangling", func(v string) bool { return (v == "1" || v == "true") == w.dangling() }) &&
		w.labelled(f["label"])
}

func (w *entry) dangling() bool { return !predefined(w.Name) && len(w.endpoints) == 0 }

// labelled says whether a network has all of some labels, KEY or KEY=VALUE.
func (w *entry) labelled(all []string) bool {
	return !slices.ContainsFunc(all, func(want string) bool {
		key, value, pair := strings.Cut(want, "=")
		have, ok := w.Labels[key]
		return !ok || pair && have != value
	})
}

// NetworkInspect shows a network with the containers that are in it. verbose adds nothing to a local network.
func (m *Manager) NetworkInspect(_ context.Context, name, scope string, _ bool) (*types.Inspect, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err == nil && scope != "" && scope != w.Scope {
		err = errdefs.ErrNotFound.WithMessage(fmt.Sprintf("network %s not found", name))
	}
	if err != nil {
		return nil, err
	}
	n := &types.Inspect{Network: w.Network, Containers: map[string]types.EndpointResource{}}
	n.Options, n.Labels = maps.Clone(w.Options), maps.Clone(w.Labels)
	for id, e := range w.endpoints {
		n.Containers[id] = types.EndpointResource{Name: m.sandboxes[id].Container.Name, EndpointID: e.ID, MacAddress: e.MAC, IPv4Address: e.IPv4, IPv6Address: e.IPv6}
	}
	switch {
	case len(w.pools) > 0:
		n.Status = &types.Status{IPAM: types.IPAMStatus{Subnets: w.usage()}}
	case predefined(w.Name) || w.ConfigOnly: // as clients know them
		n.Status = &types.Status{}
	}
	return n, nil
}

// usage counts addresses as Docker does: network and broadcast address count as used.
func (w *entry) usage() types.SubnetStatuses {
	all := types.SubnetStatuses{}
	for _, p := range w.pools {
		first, last := p.bounds()
		free := span(first, last)
		for a := range p.used {
			if p.ranged.Contains(a) && !a.Less(first) && !last.Less(a) {
				free.Sub(free, big.NewInt(1))
			}
		}
		used := uint64(len(p.used))
		if p.subnet.Bits() < p.subnet.Addr().BitLen()-1 {
			used++
			if p.subnet.Addr().Is4() {
				used++
			}
		}
		available := ^uint64(0)
		if free.IsUint64() {
			available = free.Uint64()
		}
		all[p.subnet] = types.SubnetStatus{IPsInUse: used, DynamicIPsAvailable: available}
	}
	return all
}

// span counts addresses, both ends included.
func span(first, last netip.Addr) *big.Int {
	n := new(big.Int).SetBytes(last.AsSlice())
	n.Sub(n, new(big.Int).SetBytes(first.AsSlice()))
	return n.Add(n, big.NewInt(1))
}

// NetworkPrune removes the networks of users that no running container is in, by the filters label, label! and until.
func (m *Manager) NetworkPrune(_ context.Context, f api.Filters) (types.PruneReport, error) {
	if err := checkFilters(f, "label", "label!", "until"); err != nil {
		return types.PruneReport{}, err
	}
	var until time.Time
	if v := f["until"]; len(v) == 1 {
		var err error
		if until, err = parseUntil(v[0], time.Now()); err != nil {
			return types.PruneReport{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	report := types.PruneReport{NetworksDeleted: []string{}}
	for _, w := range slices.Collect(maps.Values(m.networks)) {
		if !w.dangling() || w.ConfigOnly || !w.labelled(f["label"]) || len(f["label!"]) > 0 && w.labelled(f["label!"]) || !until.IsZero() && w.Created.After(until) {
			continue
		}
		if err := m.remove(w); err != nil {
			m.log.Warn("cannot prune a network", "network", w.Name, "error", err)
			continue
		}
		report.NetworksDeleted = append(report.NetworksDeleted, w.Name)
	}
	slices.Sort(report.NetworksDeleted)
	if m.events != nil {
		actor := events.Actor{Attributes: map[string]string{"reclaimed": "0"}}
		m.events(events.Message{Type: events.NetworkEventType, Action: events.ActionPrune, Actor: actor, Scope: "local"})
	}
	return report, nil
}

// parseUntil reads a time: seconds since 1970 with an optional fraction, RFC 3339 with or without its parts, or a
// duration before now.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02T15", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(s + "s"); err == nil {
		return time.Unix(0, int64(d)), nil
	}
	return time.Time{}, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("invalid filter: 'until'='%s'", s))
}
