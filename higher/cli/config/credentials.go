package config

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/registry"
)

// DockerHub is the key of Docker Hub's credentials.
const DockerHub = "https://index.docker.io/v1/"

// entry is one registry in "auths".
type entry struct {
	Auth          string `json:"auth,omitempty"`
	Email         string `json:"email,omitempty"`
	IdentityToken string `json:"identitytoken,omitempty"`
	RegistryToken string `json:"registrytoken,omitempty"`
}

// Key is the name under which the credentials of a registry are kept.
func Key(server string) string {
	switch server {
	case "", "docker.io", "index.docker.io", "registry-1.docker.io":
		return DockerHub
	}
	return server
}

// Credentials returns what is known for a registry; nothing is no error.
func (f *File) Credentials(server string) (registry.AuthConfig, error) {
	server = Key(server)
	if h := f.helper(server); h != "" {
		return helperGet(h, server)
	}
	all := f.auths()
	if e, ok := all[server]; ok {
		return e.config(server)
	}
	for key, e := range all { // older files name registries by URL
		if Hostname(key) == Hostname(server) {
			return e.config(server)
		}
	}
	return registry.AuthConfig{}, nil
}

// Store keeps credentials: by a helper where the file names one, else in the file. inFile tells whether the file has been
// changed for it.
func (f *File) Store(a registry.AuthConfig) (inFile bool, err error) {
	if h := f.helper(a.ServerAddress); h != "" {
		if err := helperStore(h, a); err != nil {
			return false, err
		}
		return false, f.remember(a.ServerAddress, entry{})
	}
	e := entry{IdentityToken: a.IdentityToken}
	if a.Username != "" || a.Password != "" {
		password := a.Password
		if a.IdentityToken != "" {
			password = ""
		}
		e.Auth = base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + password))
	}
	if known, ok := f.auths()[a.ServerAddress]; ok && known == e {
		return false, nil
	}
	return true, f.remember(a.ServerAddress, e)
}

// Erase forgets the credentials of a registry and saves the file.
func (f *File) Erase(server string) error {
	server = Key(server)
	if h := f.helper(server); h != "" {
		if err := helperErase(h, server); err != nil {
			return err
		}
	}
	all := f.auths()
	delete(all, server)
	if err := f.Set("auths", all); err != nil {
		return err
	}
	return f.Save()
}

func (f *File) remember(server string, e entry) error {
	all := f.auths()
	all[server] = e
	if err := f.Set("auths", all); err != nil {
		return err
	}
	return f.Save()
}

func (f *File) auths() map[string]entry {
	all := map[string]entry{}
	f.get("auths", &all)
	return all
}

func (f *File) helper(server string) string {
	byHost := map[string]string{}
	f.get("credHelpers", &byHost)
	if h := byHost[server]; h != "" {
		return h
	}
	if h := byHost[Hostname(server)]; h != "" {
		return h
	}
	return f.String("credsStore")
}

func (e entry) config(server string) (registry.AuthConfig, error) {
	a := registry.AuthConfig{ServerAddress: server, IdentityToken: e.IdentityToken, RegistryToken: e.RegistryToken}
	if e.Auth == "" {
		return a, nil
	}
	plain, err := base64.StdEncoding.DecodeString(e.Auth)
	if err != nil {
		return a, fmt.Errorf("cannot read the credentials of %s: %w", server, err)
	}
	user, password, ok := strings.Cut(string(plain), ":")
	if !ok {
		return a, fmt.Errorf("cannot read the credentials of %s: no colon in auth", server)
	}
	a.Username, a.Password = user, strings.Trim(password, "\x00")
	return a, nil
}

// Hostname is the host of a registry, without scheme and path.
func Hostname(server string) string {
	_, rest, ok := strings.Cut(server, "://")
	if !ok {
		rest = server
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// Encode is the header X-Registry-Auth.
func Encode(a registry.AuthConfig) (string, error) {
	data, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.URLEncoding.EncodeToString(data), nil
}

// AllCredentials returns the credentials of all registries that the file knows, in the form that a file without helpers has.
func (f *File) AllCredentials() (map[string]any, error) {
	all := map[string]any{}
	for server := range f.auths() {
		a, err := f.Credentials(server)
		if err != nil {
			return nil, err
		}
		e := entry{IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
		if a.Username != "" {
			e.Auth = base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + a.Password))
		}
		all[server] = e
	}
	return all, nil
}
