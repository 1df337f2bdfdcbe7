use crate::support::{PHONE, Reply, Server, body_of_verify};

const VERIFY: &str = "/api/auth/verify-otp";

async fn from(server: &Server, headers: &[(&str, &str)]) -> u16 {
    let mut request = server.client.post(server.url(VERIFY));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.json(&body_of_verify(PHONE, "123456")))
        .await
        .status
}

#[tokio::test]
async fn without_trusted_proxies_a_header_does_not_make_another_client() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "2")]);
    let mut statuses = Vec::new();
    for address in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        statuses.push(from(&server, &[("X-Forwarded-For", address)]).await);
    }
    assert_eq!(statuses, [400, 400, 429]);
    assert_eq!(
        from(&server, &[("Forwarded", "for=198.51.100.4")]).await,
        429
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_limits_of_its_own() {
    let server = Server::with(&[
        ("RATE_LIMIT_REQUESTS", "1"),
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ]);
    for address in ["198.51.100.1", "198.51.100.2"] {
        assert_eq!(from(&server, &[("X-Forwarded-For", address)]).await, 400);
        assert_eq!(from(&server, &[("X-Forwarded-For", address)]).await, 429);
    }
    let standard = "for=\"[2001:db8:cafe::17]:4711\";proto=https;by=203.0.113.43";
    assert_eq!(from(&server, &[("Forwarded", standard)]).await, 400);
    assert_eq!(from(&server, &[("Forwarded", standard)]).await, 429);
}

#[tokio::test]
async fn l03_a_forged_hop_left_of_the_client_does_not_make_another_one() {
    let server = Server::with(&[
        ("RATE_LIMIT_REQUESTS", "1"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    let one = "6.6.6.6, 198.51.100.1";
    let two = "7.7.7.7, 198.51.100.1";
    assert_eq!(from(&server, &[("X-Forwarded-For", one)]).await, 400);
    assert_eq!(from(&server, &[("X-Forwarded-For", two)]).await, 429);
}

#[tokio::test]
async fn a_client_that_adds_the_header_its_proxy_does_not_write_is_not_believed() {
    let server = Server::with(&[
        ("RATE_LIMIT_REQUESTS", "1"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    let mut statuses = Vec::new();
    for forged in ["for=192.0.2.1", "for=192.0.2.2", "for=192.0.2.3"] {
        let headers = [("X-Forwarded-For", "198.51.100.1"), ("Forwarded", forged)];
        statuses.push(from(&server, &headers).await);
    }
    assert_eq!(statuses, [400, 429, 429]);
}
