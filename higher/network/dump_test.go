package network

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestWhole(t *testing.T) {
	other := errors.New("other")
	for _, test := range []struct {
		name   string
		errors []error
		tries  int
		want   error
	}{
		{"at once", []error{nil}, 1, nil},
		{"at last", []error{netlink.ErrDumpInterrupted, errors.Join(other, netlink.ErrDumpInterrupted), nil}, 3, nil},
		{"another error", []error{netlink.ErrDumpInterrupted, other}, 2, other},
		{"never", []error{netlink.ErrDumpInterrupted}, dumpTries, netlink.ErrDumpInterrupted},
	} {
		tries := 0
		got, err := whole(func() (int, error) {
			tries++
			return tries, test.errors[min(tries, len(test.errors))-1]
		})
		if got != test.tries || tries != test.tries || !errors.Is(err, test.want) {
			t.Errorf("%s: %d after %d tries, %v", test.name, got, tries, err)
		}
	}
}
