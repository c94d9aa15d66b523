package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/system"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func shaped(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]any{}
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// TestShapeUsage has what was asked for and no more, and the lists of old versions for clients that do not know the sums.
func TestShapeUsage(t *testing.T) {
	usage := func() *system.DiskUsage {
		return &system.DiskUsage{
			ContainerUsage:  &container.DiskUsage{Items: []container.Summary{{ID: "c", ImageManifestDescriptor: &ocispec.Descriptor{}}}},
			BuildCacheUsage: &build.DiskUsage{},
		}
	}
	for _, v := range []Version{40, 51, 52, 56} {
		got := shaped(t, shapeUsage(usage(), v, false))
		list, _ := got["Containers"].([]any)
		if len(list) != 1 || list[0].(map[string]any)["ImageManifestDescriptor"] != nil {
			t.Errorf("%v: containers %v", v, got["Containers"])
		}
		if cache, ok := got["BuildCache"].([]any); !ok || len(cache) != 0 {
			t.Errorf("%v: build cache %v", v, got["BuildCache"])
		}
		for _, other := range []string{"Images", "Volumes", "LayersSize"} {
			if _, there := got[other]; there {
				t.Errorf("%v: %s was not asked for", v, other)
			}
		}
		if _, sums := got["ContainerUsage"]; sums != (v >= 52) {
			t.Errorf("%v: sums: %v", v, sums)
		}
	}
	if got := shaped(t, shapeUsage(usage(), 56, true)); got["Containers"] != nil {
		t.Errorf("verbose: %v", got)
	}
}

func TestShapeContainerByVersion(t *testing.T) {
	umask := uint32(0o77)
	c := func(networks ...string) *container.InspectResponse {
		all := map[string]*network.EndpointSettings{}
		for _, n := range networks {
			all[n] = &network.EndpointSettings{Aliases: []string{"a"}}
		}
		return &container.InspectResponse{
			ID: strings.Repeat("0", 64), Config: &container.Config{Hostname: "h"}, HostConfig: &container.HostConfig{Umask: &umask},
			NetworkSettings: &container.NetworkSettings{Networks: all},
		}
	}
	settings := func(v Version, networks ...string) map[string]any {
		return shaped(t, shapeContainer(c(networks...), v))["NetworkSettings"].(map[string]any)
	}
	if s := settings(51, "bridge"); s["IPAddress"] != "" || s["HairpinMode"] != nil {
		t.Errorf("bridge: %v", s)
	}
	for _, s := range []map[string]any{settings(51, "other"), settings(52, "bridge")} {
		if _, there := s["IPAddress"]; there {
			t.Errorf("got %v", s)
		}
	}
	aliases := func(v Version) int {
		return len(settings(v, "other")["Networks"].(map[string]any)["other"].(map[string]any)["Aliases"].([]any))
	}
	if aliases(44) != 3 || aliases(45) != 1 {
		t.Errorf("aliases: %d, %d", aliases(44), aliases(45))
	}
	if h := shaped(t, shapeContainer(c(), 55))["HostConfig"].(map[string]any); h["Umask"] != nil {
		t.Errorf("1.55 has a umask")
	}
	if umask != 0o77 {
		t.Error("the record was changed")
	}
	if m := shaped(t, shapeImage(&image.InspectResponse{}, 44)); m["ContainerConfig"] != nil {
		t.Errorf("ContainerConfig %v", m["ContainerConfig"])
	}
}
