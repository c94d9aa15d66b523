package api

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/storage"
	"github.com/moby/moby/api/types/system"
)

// with is a value whose JSON object has more fields than its type: those that older versions had. A field that is an
// object is merged; what the type itself has goes before.
type with struct {
	value any
	extra map[string]any
}

func (w with) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(w.value)
	if err != nil || len(w.extra) == 0 {
		return raw, err
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	return json.Marshal(merge(object, w.extra))
}

func merge(object, extra map[string]any) map[string]any {
	out := maps.Clone(extra)
	for key, v := range object {
		more, both := extra[key].(map[string]any)
		if inner, ok := v.(map[string]any); ok && both {
			v = merge(inner, more)
		}
		out[key] = v
	}
	return out
}

// shapeSummary takes out of a listed container what a version did not have.
func shapeSummary(c *container.Summary, v Version) {
	if v < 46 {
		c.HostConfig.Annotations = nil
	}
	if v < 48 {
		c.ImageManifestDescriptor = nil
	}
	if v < 52 {
		c.Health = nil
	}
}

// shapeContainer gives an inspected container the fields of a version.
func shapeContainer(c *container.InspectResponse, v Version) any {
	if v < 45 {
		oldAliases(c)
	}
	if v < 48 {
		c.ImageManifestDescriptor = nil
	}
	if v < 56 && c.HostConfig != nil && c.HostConfig.Umask != nil {
		h := *c.HostConfig
		h.Umask = nil
		c.HostConfig = &h
	}
	if v >= 52 {
		return c
	}
	extra := map[string]any{}
	if c.NetworkSettings != nil {
		if e := c.NetworkSettings.Networks[network.NetworkBridge]; e != nil {
			extra["NetworkSettings"] = legacyNetwork(e)
		}
	}
	if v < 44 && c.NetworkSettings != nil && c.HostConfig != nil {
		if e := c.NetworkSettings.Networks[string(c.HostConfig.NetworkMode)]; e != nil && len(e.MacAddress) != 0 {
			extra["Config"] = map[string]any{"MacAddress": e.MacAddress}
		}
	}
	if c.GraphDriver == nil && c.Storage != nil && c.Storage.RootFS != nil && c.Storage.RootFS.Snapshot != nil {
		c.GraphDriver = &storage.DriverData{Name: c.Storage.RootFS.Snapshot.Name}
		c.Storage = nil
	}
	return with{c, extra}
}

// oldAliases adds to the aliases in networks of users what had been among them until 1.44: the short id and the host's name.
func oldAliases(c *container.InspectResponse) {
	if c.NetworkSettings == nil {
		return
	}
	for name, e := range c.NetworkSettings.Networks {
		if e == nil || !container.NetworkMode(name).IsUserDefined() {
			continue
		}
		with := *e
		with.Aliases = slices.Clone(e.Aliases)
		for _, alias := range []string{c.ID[:min(12, len(c.ID))], c.Config.Hostname} {
			if !slices.Contains(with.Aliases, alias) {
				with.Aliases = append(with.Aliases, alias)
			}
		}
		c.NetworkSettings.Networks[name] = &with
	}
}

// legacyNetwork has the fields about the bridge that NetworkSettings had itself until 1.51.
func legacyNetwork(e *network.EndpointSettings) map[string]any {
	return map[string]any{
		"EndpointID": e.EndpointID, "Gateway": e.Gateway, "IPAddress": e.IPAddress, "IPPrefixLen": e.IPPrefixLen,
		"IPv6Gateway": e.IPv6Gateway, "GlobalIPv6Address": e.GlobalIPv6Address, "GlobalIPv6PrefixLen": e.GlobalIPv6PrefixLen,
		"MacAddress": e.MacAddress,
	}
}

// shapeImages gives listed images the fields of a version.
func shapeImages(images []image.Summary, v Version) any { return shapeSummaries(images, v, v >= 51) }

// shapeSummaries does so, and says whether containers are counted.
func shapeSummaries(images []image.Summary, v Version, counted bool) any {
	out := make([]any, len(images))
	for i := range images {
		m := &images[i]
		if m.RepoTags == nil {
			m.RepoTags = []string{}
		}
		if m.RepoDigests == nil {
			m.RepoDigests = []string{}
		}
		if v < 43 && len(m.RepoTags) == 0 && len(m.RepoDigests) == 0 {
			m.RepoTags, m.RepoDigests = []string{"<none>:<none>"}, []string{"<none>@<none>"}
		}
		if v < 48 {
			m.Descriptor = nil
		}
		if !counted {
			m.Containers = -1
		}
		out[i] = m
		if v < 44 {
			out[i] = with{m, map[string]any{"VirtualSize": m.Size}}
		}
	}
	return out
}

// legacyConfig has the fields of an image's Config that were there when empty, until 1.49, and until 1.51.
func legacyConfig(v Version) map[string]any {
	fields := map[string]any{
		"Cmd": nil, "Entrypoint": nil, "Env": nil, "Labels": nil, "OnBuild": nil, "User": "", "Volumes": nil, "WorkingDir": "",
	}
	if v < 50 {
		for _, key := range []string{"AttachStderr", "AttachStdin", "AttachStdout", "OpenStdin", "StdinOnce", "Tty"} {
			fields[key] = false
		}
		for _, key := range []string{"Domainname", "Hostname", "Image"} {
			fields[key] = ""
		}
	}
	return fields
}

// shapeImage gives an inspected image the fields of a version.
func shapeImage(m *image.InspectResponse, v Version) any {
	if m.RepoTags == nil {
		m.RepoTags = []string{}
	}
	if m.RepoDigests == nil {
		m.RepoDigests = []string{}
	}
	if v < 48 {
		m.Descriptor = nil
	}
	if v >= 52 {
		return m
	}
	extra := map[string]any{"Parent": "", "Comment": "", "DockerVersion": "", "Author": "", "Config": legacyConfig(v)}
	if v < 45 {
		extra["Container"], extra["ContainerConfig"] = "", nil
	}
	if v < 44 {
		extra["VirtualSize"] = m.Size
		if m.Created == "" {
			m.Created = time.Time{}.Format(time.RFC3339Nano)
		}
	}
	if m.GraphDriver == nil {
		extra["GraphDriver"] = map[string]any{"Name": "overlayfs", "Data": nil}
	}
	return with{m, extra}
}

// shapeInfo gives the engine's description the fields of a version.
func shapeInfo(info *system.Info, v Version) any {
	extra := map[string]any{}
	if v < 44 {
		for name, r := range info.Runtimes {
			r.Status = nil
			info.Runtimes[name] = r
		}
	}
	if v < 46 {
		info.Containerd = nil
	}
	if v < 47 {
		extra["RegistryConfig"] = map[string]any{"AllowNondistributableArtifactsCIDRs": nil, "AllowNondistributableArtifactsHostnames": nil}
	}
	if v < 49 {
		info.FirewallBackend = nil
		for key, c := range map[string]system.Commit{
			"ContainerdCommit": info.ContainerdCommit, "RuncCommit": info.RuncCommit, "InitCommit": info.InitCommit,
		} {
			extra[key] = map[string]any{"Expected": c.ID}
		}
	}
	if v < 50 {
		info.DiscoveredDevices = nil
		extra["BridgeNfIptables"], extra["BridgeNfIp6tables"] = false, false
	}
	if v < 53 {
		info.NRI = nil
	}
	return with{info, extra}
}

// shapeUsage gives a report of disk usage the fields of a version: lists until 1.51, sums from 1.52, both for clients
// of 1.52 that do not ask for `verbose`, which those that know the sums do.
func shapeUsage(u *system.DiskUsage, v Version, verbose bool) any {
	if u.ContainerUsage != nil {
		for i := range u.ContainerUsage.Items {
			u.ContainerUsage.Items[i].ImageManifestDescriptor = nil // not in this answer
		}
	}
	if v >= 52 && verbose {
		return u
	}
	old := map[string]any{}
	if u.ImageUsage != nil {
		old["LayersSize"], old["Images"] = u.ImageUsage.TotalSize, shapeSummaries(u.ImageUsage.Items, v, true)
	}
	if u.ContainerUsage != nil {
		old["Containers"] = listed(u.ContainerUsage.Items)
	}
	if u.VolumeUsage != nil {
		old["Volumes"] = listed(u.VolumeUsage.Items)
	}
	if u.BuildCacheUsage != nil {
		old["BuildCache"] = listed(u.BuildCacheUsage.Items)
	}
	if v < 52 {
		return old
	}
	return with{u, old}
}

// listed is a list that is there when it is empty.
func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
