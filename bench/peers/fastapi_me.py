"""The current user on FastAPI, as a careful engineer writes it: token, bucket, one prepared statement, answer."""

import base64
import hashlib
import hmac
import json
import os
import socket
import sys
import time
import uuid

import asyncpg
import uvicorn
from fastapi import FastAPI, Header, HTTPException

KEY = base64.b64decode(os.environ["JWT_KEY"])
ISSUER = os.environ["PUBLIC_URL"]
REDIS_URL = os.environ.get("REDIS_URL")
SIZE, WINDOW_S = 10_000_000, 60
STATEMENT = """
    select s.revoked_at, s.expires_at, u.id, u.email, u.username, u.full_name, u.status, u.role, u.email_verified_at,
           u.avatar_id, u.two_factor_enabled_at, u.default_organization_id, u.metadata, u.created_at, u.updated_at
    from sessions s join users u on u.id = s.user_id where s.public_id = $1"""
BUCKET = """
    local level = redis.call('HMGET', KEYS[1], 'tokens', 'at')
    local tokens = tonumber(level[1]) or tonumber(ARGV[1])
    local at = tonumber(level[2]) or tonumber(ARGV[3])
    tokens = math.min(tonumber(ARGV[1]), tokens + (ARGV[3] - at) * ARGV[1] / ARGV[2])
    if tokens < 1 then return 0 end
    redis.call('HSET', KEYS[1], 'tokens', tokens - 1, 'at', ARGV[3])
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    return 1"""

app = FastAPI()
levels: dict[int, tuple[float, float]] = {}


@app.on_event("startup")
async def open_connections() -> None:
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=20)
    app.state.bucket = None
    if REDIS_URL:
        import redis.asyncio

        app.state.bucket = redis.asyncio.from_url(REDIS_URL).register_script(BUCKET)
    print(f"The peer is ready on http://127.0.0.1:{bound.getsockname()[1]}", file=sys.stderr, flush=True)


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verify(token: str) -> dict:
    signed, _, signature = token.rpartition(".")
    expected = hmac.new(KEY, signed.encode(), hashlib.sha256).digest()
    header, _, payload = signed.partition(".")
    if not hmac.compare_digest(decode(signature), expected) or json.loads(decode(header))["alg"] != "HS256":
        raise HTTPException(401)
    claims = json.loads(decode(payload))
    if claims["iss"] != ISSUER or claims["aud"] != "rentapi" or claims["exp"] <= time.time():
        raise HTTPException(401)
    return claims


async def take(user_id: int) -> bool:
    now = time.time()
    if app.state.bucket:
        return await app.state.bucket(keys=[f"user:{user_id}"], args=[SIZE, WINDOW_S, now]) == 1
    tokens, at = levels.get(user_id, (SIZE, now))
    tokens = min(SIZE, tokens + (now - at) * SIZE / WINDOW_S)
    levels[user_id] = (tokens - 1, now)
    return tokens >= 1


@app.get("/users/me")
async def get_me(authorization: str = Header("")) -> dict:
    claims = verify(authorization.removeprefix("Bearer "))
    row = await app.state.pool.fetchrow(STATEMENT, uuid.UUID(claims["sid"]))
    if row is None or row["revoked_at"] or row["status"] != "ACTIVE":
        raise HTTPException(401)
    if not await take(row["id"]):
        raise HTTPException(429)
    return {
        "id": claims["sub"],
        "email": row["email"],
        "username": row["username"],
        "fullName": row["full_name"],
        "avatarUrl": row["avatar_id"] and f"/api/v1/avatars/{row['avatar_id']}",
        "status": row["status"],
        "role": row["role"],
        "emailVerifiedAt": row["email_verified_at"],
        "twoFactorEnabled": row["two_factor_enabled_at"] is not None,
        "defaultOrganizationId": row["default_organization_id"],
        "metadata": json.loads(row["metadata"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


bound = socket.socket()
bound.bind(("127.0.0.1", 0))
config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[bound])
