package container

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	types "github.com/moby/moby/api/types/container"
)

// portGroup are ports in a row that are published alike.
type portGroup struct {
	ip, proto   string
	first, last uint16
}

func (g *portGroup) String() string {
	s := strconv.Itoa(int(g.first))
	if g.last != g.first {
		s += "-" + strconv.Itoa(int(g.last))
	}
	if g.ip != "" {
		s = net.JoinHostPort(g.ip, s) + "->" + s
	}
	return s + "/" + g.proto
}

// ports shows ports as ps does: those in a row as ranges where the host's are the same numbers, the mapped ones last.
func ports(list []types.PortSummary) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b types.PortSummary) int {
		return cmp.Or(cmp.Compare(a.PrivatePort, b.PrivatePort), a.IP.Compare(b.IP), cmp.Compare(a.PublicPort, b.PublicPort), cmp.Compare(a.Type, b.Type))
	})
	open := map[string]*portGroup{}
	var keys, shown, mapped []string
	for _, p := range list {
		g := portGroup{proto: p.Type, first: p.PrivatePort, last: p.PrivatePort}
		if p.IP.IsValid() {
			g.ip = p.IP.String()
			if p.PublicPort != p.PrivatePort {
				mapped = append(mapped, fmt.Sprintf("%s->%d/%s", net.JoinHostPort(g.ip, strconv.Itoa(int(p.PublicPort))), p.PrivatePort, p.Type))
				continue
			}
		}
		key := g.ip + "/" + g.proto
		switch o := open[key]; {
		case o == nil:
			keys = append(keys, key)
			open[key] = &g
		case g.first == o.last+1:
			o.last = g.first
		default:
			shown = append(shown, o.String())
			open[key] = &g
		}
	}
	for _, k := range keys {
		shown = append(shown, open[k].String())
	}
	return strings.Join(append(shown, mapped...), ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
