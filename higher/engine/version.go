package engine

import (
	"context"
	"runtime"

	"github.com/moby/moby/api/types/system"

	"github.com/dhow-containers/dhow/higher/api"
)

// SystemVersion tells versions: of the engine, and of the API.
func (e *Engine) SystemVersion(context.Context) (*system.VersionResponse, error) {
	details := map[string]string{
		"ApiVersion": api.MaxVersion.String(), "MinAPIVersion": api.MinVersion.String(), "GoVersion": runtime.Version(),
		"Os": runtime.GOOS, "Arch": runtime.GOARCH, "KernelVersion": e.host.kernel, "GitCommit": e.build.Commit, "BuildTime": e.build.Built, "Experimental": "false",
	}
	return &system.VersionResponse{
		Platform:   system.PlatformInfo{Name: "dhow"},
		Version:    e.build.Version,
		APIVersion: api.MaxVersion.String(), MinAPIVersion: api.MinVersion.String(),
		Os: runtime.GOOS, Arch: runtime.GOARCH, GoVersion: runtime.Version(), GitCommit: e.build.Commit, BuildTime: e.build.Built, KernelVersion: e.host.kernel,
		Components: []system.ComponentVersion{{Name: "Engine", Version: e.build.Version, Details: details}},
	}, nil
}
