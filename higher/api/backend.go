package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/api/types/volume"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Filters are the `filters` of a list: values by key. A manager refuses a key that it does not know
// (errdefs.ErrInvalidArgument).
type Filters map[string][]string

// Progress receives the lines of a long answer (pull, push, load, import), in order, from one goroutine at a time.
type Progress func(jsonstream.Message)

// Backend is what the API serves. The errors of its methods are of the classes of github.com/containerd/errdefs; the
// API makes HTTP statuses of them. Names and ids of containers, images, networks and volumes are as clients wrote them.
type Backend interface {
	Containers
	Processes
	Images
	Networks
	Volumes
	System
}

// Containers is the part of a Backend about containers and their states.
type Containers interface {
	// ContainerCreate makes a container that is not started. version is that of the API in use.
	ContainerCreate(ctx context.Context, name string, r *container.CreateRequest, platform *ocispec.Platform, version string) (container.CreateResponse, error)
	ContainerList(ctx context.Context, o ContainerListOptions) ([]container.Summary, error)
	ContainerInspect(ctx context.Context, name string, size bool) (*container.InspectResponse, error)
	// ContainerStart returns ErrNotModified when it runs already (HTTP 304), as ContainerStop does when it does not.
	ContainerStart(ctx context.Context, name string) error
	ContainerStop(ctx context.Context, name string, o StopOptions) error
	ContainerRestart(ctx context.Context, name string, o StopOptions) error
	// ContainerKill sends a signal: a name with or without SIG, or a number; empty for SIGKILL.
	ContainerKill(ctx context.Context, name, signal string) error
	ContainerPause(ctx context.Context, name string) error
	ContainerUnpause(ctx context.Context, name string) error
	ContainerRename(ctx context.Context, name, to string) error
	ContainerUpdate(ctx context.Context, name string, u *container.UpdateConfig) (container.UpdateResponse, error)
	ContainerRemove(ctx context.Context, name string, o RemoveOptions) error
	ContainerPrune(ctx context.Context, f Filters) (container.PruneReport, error)
	// ContainerWait returns once it watches; the answer comes over the channel, once.
	ContainerWait(ctx context.Context, name string, c container.WaitCondition) (<-chan container.WaitResponse, error)
	ContainerTop(ctx context.Context, name, psArgs string) (container.TopResponse, error)
	ContainerChanges(ctx context.Context, name string) ([]container.FilesystemChange, error)
	// ContainerStats calls emit about every second until ctx ends or the container is removed; once if !stream.
	ContainerStats(ctx context.Context, name string, stream, oneShot bool, emit func(*container.StatsResponse) error) error
	ContainerExport(ctx context.Context, name string, w io.Writer) error
	ContainerStatPath(ctx context.Context, name, path string) (*container.PathStat, error)
	// ContainerArchive returns a tar stream of what is at path.
	ContainerArchive(ctx context.Context, name, path string) (io.ReadCloser, *container.PathStat, error)
	ContainerExtract(ctx context.Context, name, path string, o ExtractOptions, tar io.Reader) error
	ContainerCommit(ctx context.Context, o CommitOptions) (container.CommitResponse, error)
}

// ContainerListOptions is the query of GET /containers/json.
type ContainerListOptions struct {
	All     bool
	Size    bool
	Limit   int // 0 for no limit
	Filters Filters
}

// StopOptions is the query of stop and restart.
type StopOptions struct {
	Signal  string // empty for the container's own
	Timeout *int   // seconds until SIGKILL; nil for the container's own, -1 for never
}

// RemoveOptions is the query of DELETE /containers/{name}.
type RemoveOptions struct{ Volumes, Link, Force bool }

// ExtractOptions is the query of PUT /containers/{name}/archive.
type ExtractOptions struct{ NoOverwriteDirNonDir, CopyUIDGID bool }

// CommitOptions is the query and body of POST /commit.
type CommitOptions struct {
	Container, Repo, Tag, Comment, Author string
	Pause                                 bool
	Changes                               []string // instructions of a Dockerfile
	Config                                *container.Config
}

// Processes is the part of a Backend about streams and execs.
type Processes interface {
	// ContainerAttach connects s with a container. It calls s.Hijack once the container is known to be there, and
	// returns when the streams have ended or the client detached.
	ContainerAttach(ctx context.Context, name string, o AttachOptions, s Streams) error
	ContainerLogs(ctx context.Context, name string, o LogsOptions, s Streams) error
	ContainerResize(ctx context.Context, name string, height, width uint32) error
	ExecCreate(ctx context.Context, name string, r *container.ExecCreateRequest) (string, error)
	// ExecStart runs a created exec; with r.Detach it returns once the process runs and does not call s.Hijack.
	ExecStart(ctx context.Context, id string, r *container.ExecStartRequest, s Streams) error
	ExecResize(ctx context.Context, id string, height, width uint32) error
	ExecInspect(ctx context.Context, id string) (*container.ExecInspectResponse, error)
}

// Streams is the client's side of an attach, an exec or a log.
type Streams struct {
	// Hijack takes the connection over and says 101 or 200; multiplexed says which media type. What it returns is read
	// for stdin (io.EOF after the client's half-close) and written for output: raw for a terminal, else frames of
	// https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach, made by the
	// Backend.
	Hijack func(multiplexed bool) (io.ReadWriteCloser, error)
}

// AttachOptions is the query of POST /containers/{name}/attach.
type AttachOptions struct {
	Stream, Logs          bool
	Stdin, Stdout, Stderr bool
	DetachKeys            string
}

// LogsOptions is the query of GET /containers/{name}/logs.
type LogsOptions struct {
	Stdout, Stderr, Follow, Timestamps, Details bool
	Since, Until                                time.Time // zero for no bound
	Tail                                        int       // -1 for all
}

// Images is the part of a Backend about images and registries.
type Images interface {
	ImageList(ctx context.Context, o ImageListOptions) ([]image.Summary, error)
	ImageInspect(ctx context.Context, name string, o ImageInspectOptions) (*image.InspectResponse, error)
	ImageHistory(ctx context.Context, name string, platform *ocispec.Platform) ([]image.HistoryResponseItem, error)
	// ImagePull takes a name with or without tag or digest; all pulls every tag of a repository.
	ImagePull(ctx context.Context, ref string, all bool, platform *ocispec.Platform, auth *registry.AuthConfig, p Progress) error
	ImagePush(ctx context.Context, ref string, all bool, platform *ocispec.Platform, auth *registry.AuthConfig, p Progress) error
	ImageTag(ctx context.Context, name, repo, tag string) error
	ImageDelete(ctx context.Context, name string, force, prune bool, platforms []ocispec.Platform) ([]image.DeleteResponse, error)
	ImagePrune(ctx context.Context, f Filters) (image.PruneReport, error)
	ImageSearch(ctx context.Context, term string, limit int, f Filters, auth *registry.AuthConfig) ([]registry.SearchResult, error)
	ImageSave(ctx context.Context, names []string, platforms []ocispec.Platform, w io.Writer) error
	ImageLoad(ctx context.Context, r io.Reader, platforms []ocispec.Platform, p Progress) error
	ImageImport(ctx context.Context, o ImportOptions, r io.Reader, p Progress) error
	DistributionInspect(ctx context.Context, ref string, auth *registry.AuthConfig) (*registry.DistributionInspect, error)
}

// ImageListOptions is the query of GET /images/json.
type ImageListOptions struct {
	All, SharedSize, Manifests, Identity bool
	Filters                              Filters
}

// ImageInspectOptions is the query of GET /images/{name}/json.
type ImageInspectOptions struct {
	Manifests bool
	Platform  *ocispec.Platform
}

// ImportOptions is the query of POST /images/create with fromSrc.
type ImportOptions struct {
	Repo, Tag, Message string
	Changes            []string
	Platform           *ocispec.Platform
}

// Networks is the part of a Backend about networks.
type Networks interface {
	NetworkList(ctx context.Context, f Filters) ([]network.Summary, error)
	NetworkInspect(ctx context.Context, name, scope string, verbose bool) (*network.Inspect, error)
	NetworkCreate(ctx context.Context, r *network.CreateRequest) (network.CreateResponse, error)
	NetworkConnect(ctx context.Context, name string, r *network.ConnectRequest) error
	NetworkDisconnect(ctx context.Context, name string, r *network.DisconnectRequest) error
	NetworkRemove(ctx context.Context, name string) error
	NetworkPrune(ctx context.Context, f Filters) (network.PruneReport, error)
}

// Volumes is the part of a Backend about volumes.
type Volumes interface {
	VolumeList(ctx context.Context, f Filters) (volume.ListResponse, error)
	VolumeInspect(ctx context.Context, name string) (*volume.Volume, error)
	VolumeCreate(ctx context.Context, r *volume.CreateRequest) (*volume.Volume, error)
	VolumeRemove(ctx context.Context, name string, force bool) error
	VolumePrune(ctx context.Context, f Filters) (volume.PruneReport, error)
}

// System is the part of a Backend about the engine itself.
type System interface {
	SystemInfo(ctx context.Context) (*system.Info, error)
	SystemVersion(ctx context.Context) (*system.VersionResponse, error)
	SystemDiskUsage(ctx context.Context, objects []system.DiskUsageObject, verbose bool) (*system.DiskUsage, error)
	// SystemEvents calls emit for past events since a time and, unless until has passed, for those to come, until ctx
	// or until ends.
	SystemEvents(ctx context.Context, since, until time.Time, f Filters, emit func(events.Message) error) error
	// RegistryLogin checks credentials with their registry; status and token as Docker's POST /auth answers them.
	RegistryLogin(ctx context.Context, auth *registry.AuthConfig) (*registry.AuthResponse, error)
}

// Extension serves paths that the API itself does not know (build sessions), in the order they were added.
type Extension interface {
	// Match says whether it serves a request; the path has no version prefix any more.
	Match(r *http.Request) bool
	http.Handler
}

// ErrNotModified says that what was asked for is so already: HTTP 304.
var ErrNotModified = errors.New("not modified")
