package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/moby/moby/api/types/registry"
)

// Programs docker-credential-NAME keep credentials (https://github.com/docker/docker-credential-helpers): an action as
// argument, its subject on standard input, JSON or an error text on standard output.

// tokenUser marks a secret that is an identity token.
const tokenUser = "<token>"

type secret struct {
	ServerURL string
	Username  string
	Secret    string
}

func helperGet(name, server string) (registry.AuthConfig, error) {
	a := registry.AuthConfig{ServerAddress: server}
	out, err := runHelper(name, "get", server)
	if err != nil {
		if strings.Contains(err.Error(), "credentials not found") {
			return registry.AuthConfig{}, nil
		}
		return a, err
	}
	var s secret
	if err := json.Unmarshal(out, &s); err != nil {
		return a, fmt.Errorf("cannot read the answer of docker-credential-%s: %w", name, err)
	}
	if s.Username == tokenUser {
		a.IdentityToken = s.Secret
	} else {
		a.Username, a.Password = s.Username, s.Secret
	}
	return a, nil
}

func helperStore(name string, a registry.AuthConfig) error {
	s := secret{ServerURL: a.ServerAddress, Username: a.Username, Secret: a.Password}
	if a.IdentityToken != "" {
		s.Username, s.Secret = tokenUser, a.IdentityToken
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = runHelper(name, "store", string(data))
	return err
}

func helperErase(name, server string) error {
	_, err := runHelper(name, "erase", server)
	if err != nil && strings.Contains(err.Error(), "credentials not found") {
		return nil
	}
	return err
}

func runHelper(name, action, input string) ([]byte, error) {
	program := "docker-credential-" + name
	c := exec.Command(program, action)
	c.Stdin, c.Stderr = strings.NewReader(input), os.Stderr
	out, err := c.Output()
	if err == nil {
		return out, nil
	}
	if text := bytes.TrimSpace(out); len(text) > 0 {
		return nil, fmt.Errorf("error getting credentials: %s: %s", program, text)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("cannot run the credential helper: %w", err)
	}
	return nil, fmt.Errorf("%s %s: %w", program, action, err)
}
