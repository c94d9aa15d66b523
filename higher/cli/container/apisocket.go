package container

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Where a container with --use-api-socket finds the daemon and the credentials.
const (
	socketInside  = "/var/run/docker.sock"
	secretsInside = "/run/secrets/docker"
)

// mountSocket gives the container the daemon's socket, and returns the credentials that go into it, unless it has its own.
func mountSocket(a *cli.App, r *request) ([]byte, error) {
	e, err := a.Endpoint()
	if err != nil {
		return nil, err
	}
	path, ok := strings.CutPrefix(e.Host, "unix://")
	if !ok {
		return nil, errors.New("--use-api-socket wants a daemon on this host: " + e.Host + " is no unix socket")
	}
	r.host.Mounts = append(r.host.Mounts, mount.Mount{Type: mount.TypeBind, Source: path, Target: socketInside, BindOptions: &mount.BindOptions{}})
	if slices.ContainsFunc(r.config.Env, func(v string) bool { return strings.HasPrefix(v, "DOCKER_CONFIG=") }) {
		return nil, nil
	}
	all, err := a.Config().AllCredentials()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	r.config.Env = append(r.config.Env, "DOCKER_CONFIG="+secretsInside)
	return json.Marshal(map[string]any{"auths": all})
}

func putSecrets(ctx context.Context, c *client.Client, id string, secrets []byte) error {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	if err := t.WriteHeader(&tar.Header{Name: secretsInside[1:] + "/config.json", Mode: 0o600, Size: int64(len(secrets))}); err != nil {
		return err
	}
	t.Write(secrets)
	if err := t.Close(); err != nil {
		return err
	}
	_, err := c.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: &b})
	return err
}
