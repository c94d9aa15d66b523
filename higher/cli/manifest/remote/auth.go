package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// authorize enters what the registry wants to see. from is another repository that is read from, or nothing.
func (s *session) authorize(ctx context.Context, h http.Header, from string) error {
	for _, c := range s.challenges {
		switch c.scheme {
		case "bearer":
			t, err := s.token(ctx, c, from)
			if err != nil {
				return err
			}
			h.Set("Authorization", "Bearer "+t)
			return nil
		case "basic":
			if s.auth.RegistryToken != "" {
				continue
			}
			if s.auth.Username == "" || s.auth.Password == "" {
				return errors.New("no basic auth credentials")
			}
			q := http.Request{Header: h}
			q.SetBasicAuth(s.auth.Username, s.auth.Password)
			return nil
		}
	}
	return nil
}

func (s *session) token(ctx context.Context, c challenge, from string) (string, error) {
	if s.auth.RegistryToken != "" {
		return s.auth.RegistryToken, nil
	}
	scopes := []string{s.scope}
	if from != "" && from != s.repository {
		scopes = append(scopes, "repository:"+from+":pull")
	}
	key := strings.Join(scopes, " ")
	if t := s.tokens[key]; t != "" {
		return t, nil
	}
	t, err := s.fetchToken(ctx, c, scopes)
	if err != nil {
		return "", err
	}
	if s.tokens == nil {
		s.tokens = map[string]string{}
	}
	s.tokens[key] = t
	return t, nil
}

// fetchToken asks the server of tokens (https://distribution.github.io/distribution/spec/auth/): by OAuth if the credentials are
// an identity token, else with name and password, or as nobody.
func (s *session) fetchToken(ctx context.Context, c challenge, scopes []string) (string, error) {
	realm, err := url.Parse(c.parameters["realm"])
	if err != nil || realm.Host == "" {
		return "", fmt.Errorf("no realm specified for token auth challenge: %q", c.parameters["realm"])
	}
	service := c.parameters["service"]
	var r *answer
	if s.auth.IdentityToken != "" {
		form := url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {s.auth.IdentityToken}, "client_id": {"dhow"},
			"service": {service}, "scope": {strings.Join(scopes, " ")},
		}
		r, err = s.send(ctx, http.MethodPost, realm.String(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	} else {
		q, h := realm.Query(), http.Header{}
		if service != "" {
			q.Set("service", service)
		}
		q["scope"] = scopes
		if s.auth.Username != "" && s.auth.Password != "" {
			q.Set("account", s.auth.Username)
			x := http.Request{Header: h}
			x.SetBasicAuth(s.auth.Username, s.auth.Password)
		}
		realm.RawQuery = q.Encode()
		r, err = s.send(ctx, http.MethodGet, realm.String(), h, nil)
	}
	if err != nil {
		return "", err
	}
	if !r.ok() {
		return "", r.err()
	}
	return tokenOf(r.body)
}

func tokenOf(body []byte) (string, error) {
	var t struct {
		Token  string `json:"token"`
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return "", fmt.Errorf("unable to decode token response: %w", err)
	}
	switch {
	case t.Access != "":
		return t.Access, nil
	case t.Token != "":
		return t.Token, nil
	}
	return "", errors.New("authorization server did not include a token in the response")
}
