package opts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Attachment is the value of --network.
type Attachment struct {
	Target     string
	Aliases    []string
	Links      []string
	DriverOpts map[string]string
	IPv4, IPv6 netip.Addr
	LinkLocal  []netip.Addr
	MAC        string
	GwPriority int
	Advanced   bool
}

// Network reads a network: its name, or key=value pairs as CSV.
func Network(s string) (Attachment, error) {
	a := Attachment{}
	if !strings.Contains(s, "=") {
		a.Target = s
		return a, nil
	}
	a.Advanced, a.Aliases = true, []string{}
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return a, err
	}
	for _, f := range fields {
		k, v, ok := strings.Cut(f, "=")
		if !ok || k == "" {
			return a, fmt.Errorf("invalid field %s", f)
		}
		if err := a.set(strings.ToLower(strings.TrimSpace(k)), strings.TrimSpace(v)); err != nil {
			return a, err
		}
	}
	if a.Target == "" {
		return a, errors.New("network name/id is not specified")
	}
	return a, nil
}

func (a *Attachment) set(k, v string) (err error) {
	switch k {
	case "name":
		a.Target = strings.ToLower(v)
	case "alias":
		a.Aliases = append(a.Aliases, strings.ToLower(v))
	case "ip":
		a.IPv4, err = netip.ParseAddr(v)
	case "ip6":
		a.IPv6, err = netip.ParseAddr(v)
	case "mac-address":
		a.MAC = strings.ToLower(v)
	case "link-local-ip":
		var ip netip.Addr
		ip, err = netip.ParseAddr(v)
		a.LinkLocal = append(a.LinkLocal, ip)
	case "driver-opt":
		k, v, ok := strings.Cut(strings.ToLower(v), "=")
		if !ok || k == "" {
			return errors.New("invalid key value pair format in driver options")
		}
		addPair(&a.DriverOpts, strings.TrimSpace(k)+"="+strings.TrimSpace(v))
	case "gw-priority":
		if a.GwPriority, err = strconv.Atoi(v); err != nil {
			var ne *strconv.NumError
			if errors.As(err, &ne) {
				err = ne.Err
			}
			return fmt.Errorf("invalid gw-priority (%s): %w", v, err)
		}
	default:
		return errors.New("invalid field key " + k)
	}
	return err
}

// UserDefined tells whether a network mode names a network rather than one of the built-in ways.
func UserDefined(mode string) bool {
	switch mode {
	case "", "default", "bridge", "host", "none":
		return false
	}
	return !strings.HasPrefix(mode, "container:")
}
