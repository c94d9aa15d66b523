package plan

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestClonesTwice(t *testing.T) {
	type namespaces = []specs.LinuxNamespace
	for name, c := range map[string]struct {
		namespaces namespaces
		want       bool
	}{
		"none":                     {nil, false},
		"new":                      {namespaces{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}}, false},
		"user":                     {namespaces{{Type: specs.PIDNamespace}, {Type: specs.UserNamespace}}, true},
		"joined":                   {namespaces{{Type: specs.PIDNamespace, Path: "/p"}}, true},
		"joined, another":          {namespaces{{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace, Path: "/p"}}, true},
		"user, none for processes": {namespaces{{Type: specs.UserNamespace}}, false},
	} {
		config := &specs.Spec{Linux: &specs.Linux{Namespaces: c.namespaces}}
		if got := ClonesTwice(config); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if ClonesTwice(&specs.Spec{}) {
		t.Error("without linux")
	}
}

func TestOwnNetwork(t *testing.T) {
	type namespaces = []specs.LinuxNamespace
	network := specs.LinuxNamespace{Type: specs.NetworkNamespace}
	for name, c := range map[string]struct {
		namespaces namespaces
		want       bool
	}{
		"none":          {nil, false},
		"no network":    {namespaces{{Type: specs.PIDNamespace}}, false},
		"new":           {namespaces{{Type: specs.PIDNamespace}, network}, true},
		"user":          {namespaces{network, {Type: specs.UserNamespace}}, false},
		"joined":        {namespaces{{Type: specs.NetworkNamespace, Path: "/n"}}, false},
		"other, joined": {namespaces{network, {Type: specs.UserNamespace, Path: "/u"}}, false},
	} {
		config := &specs.Spec{Linux: &specs.Linux{Namespaces: c.namespaces}}
		if got := OwnNetwork(config); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if OwnNetwork(&specs.Spec{}) {
		t.Error("without linux")
	}
}
